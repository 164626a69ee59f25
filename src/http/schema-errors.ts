import type * as z from 'zod'
import { jsonPointer } from '../model/json-pointer.ts'

/** A field that does not fit, as answers name it. */
export interface FieldError {
  readonly pointer: string
  readonly reason: string
}

type Issue = z.core.$ZodIssue
type Path = readonly PropertyKey[]

/** Most errors that one answer names. */
const MOST = 50

/**
 * What a schema found wrong with `input`, field by field and in words. Pointers begin with `root`: `` for a JSON pointer
 * into a body (RFC 6901), `query` or `path` for parameters.
 */
export function schemaErrors(error: z.ZodError, input: unknown, root: '' | 'query' | 'path' = ''): FieldError[] {
  return error.issues.flatMap((issue) => explain(issue, [], input, root)).slice(0, MOST)
}

function explain(issue: Issue, before: Path, input: unknown, root: string): FieldError[] {
  const path = [...before, ...issue.path]
  const at = (inner: Path, reason: string): FieldError => ({ pointer: root + jsonPointer(inner), reason })
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => at([...path, key], root === '' ? 'is no field here' : 'is no parameter here'))
    case 'invalid_key':
    case 'invalid_element':
      return issue.issues.map((inner) => at(path, `its name ${reasonOf(inner, undefined)}`))
    case 'invalid_union':
      return explainUnion(issue, path, input, root)
    default:
      return [at(path, reasonOf(issue, valueAt(input, path)))]
  }
}

/** Tells what is wrong with the one form that the value resembles; when there is no such form, names them all. */
function explainUnion(issue: z.core.$ZodIssueInvalidUnion, path: Path, input: unknown, root: string): FieldError[] {
  const pointer = root + jsonPointer(path)
  if ('options' in issue && Array.isArray(issue.options)) {
    const missing = valueAt(input, path) === undefined
    return [{ pointer, reason: missing ? 'is required' : `must be one of ${issue.options.join(', ')}` }]
  }
  const alike = issue.errors.filter((issues) => !issues.some((inner) => isOtherType(inner)))
  const [only] = alike
  if (only && alike.length === 1) return only.flatMap((inner) => explain(inner, path, input, root))
  if (valueAt(input, path) === undefined) return [{ pointer, reason: 'is required' }]
  const forms = issue.errors.flatMap((issues) => issues.filter(isOtherType).map((inner) => typeName(inner.expected)))
  return [{ pointer, reason: `must be ${[...new Set(forms)].join(' or ') || 'of another form'}` }]
}

function isOtherType(issue: Issue): issue is z.core.$ZodIssueInvalidType {
  return issue.code === 'invalid_type' && issue.path.length === 0
}

function reasonOf(issue: Issue, value: unknown): string {
  switch (issue.code) {
    case 'invalid_type':
      return value === undefined ? 'is required' : `must be ${typeName(issue.expected)}`
    case 'invalid_value':
      return value === undefined ? 'is required' : `must be one of ${issue.values.map(String).join(', ')}`
    case 'too_small':
      return bound(issue.origin, 'at least', Number(issue.minimum), issue.inclusive)
    case 'too_big':
      return bound(issue.origin, 'at most', Number(issue.maximum), issue.inclusive)
    case 'invalid_format':
      return FORMATS[issue.format] ?? issue.message
    default:
      return issue.message
  }
}

const FORMATS: Readonly<Record<string, string>> = {
  url: 'must be a URL of a scheme that is taken here',
  datetime: 'must be a time in RFC 3339, such as "2026-01-31T12:00:00Z"',
}

function bound(origin: string, side: 'at least' | 'at most', limit: number, inclusive = true): string {
  if (origin === 'string') return `must have ${side} ${limit} characters`
  if (origin === 'array' || origin === 'set' || origin === 'map') return `must hold ${side} ${limit} entries`
  if (inclusive) return `must be ${side} ${limit}`
  return side === 'at least' ? `must be above ${limit}` : `must be below ${limit}`
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  tuple: 'a list',
  object: 'an object',
  record: 'an object',
}

function typeName(expected: string): string {
  return TYPES[expected] ?? expected
}

function valueAt(input: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, part) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, part) ? Reflect.get(value, part) : undefined,
    input,
  )
}
