import { type Failure, fail, type Result, succeed } from '../model/failure.ts'
import { jsonPointer } from '../model/json-pointer.ts'
import type { HttpRequest } from './message.ts'
import type { FieldError } from './schema-errors.ts'

export const MOST_BODY_BYTES = 1_048_576
const MOST_DEPTH = 32

export interface JsonRules {
  readonly media: 'json' | 'merge'
  readonly optional: boolean
  readonly mostBytes: number
}

/** The JSON of a request's body, bounded in bytes and depth. An empty one is undefined where a body is optional. */
export async function readJson(request: HttpRequest, rules: JsonRules): Promise<Result<unknown>> {
  const bytes = await request.body(rules.mostBytes)
  if (bytes === undefined) return tooLarge(rules.mostBytes)
  if (bytes.byteLength === 0) {
    if (rules.optional) return succeed(undefined)
    return fail('InvalidJson', 'The body is empty.')
  }
  const refused = checkMediaType(request, rules.media)
  if (refused) return { ok: false, failure: refused }
  return parse(bytes)
}

export function tooLarge(mostBytes: number): Result<never> {
  const most = mostBytes < MOST_BODY_BYTES ? `${mostBytes / 1024} KiB` : `${mostBytes / MOST_BODY_BYTES} MiB`
  return fail('TooLarge', `The body has more than ${most}.`, { hint: `A body may have ${most} at most here.` })
}

function checkMediaType(request: HttpRequest, media: JsonRules['media']): Failure | undefined {
  const encoding = request.headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity') {
    return fail('UnsupportedMediaType', `The content encoding ${encoding} is not taken.`, {
      errors: [{ pointer: 'header/content-encoding', reason: 'must be left out' }],
      hint: 'Send the body uncompressed.',
    }).failure
  }
  const [type = '', ...parameters] = (request.headers['content-type'] ?? 'application/json').toLowerCase().split(';')
  const charset = parameters.map((part) => part.trim()).find((part) => part.startsWith('charset='))
  const taken =
    type.trim() === 'application/json' || (media === 'merge' && type.trim() === 'application/merge-patch+json')
  if (taken && (charset === undefined || /^charset="?utf-8"?$/.test(charset))) return undefined
  return fail('UnsupportedMediaType', `The content type ${request.headers['content-type']} is not taken.`, {
    errors: [{ pointer: 'header/content-type', reason: 'must be application/json in UTF-8' }],
  }).failure
}

function parse(bytes: Uint8Array): Result<unknown> {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    const why = error instanceof SyntaxError ? error.message : 'it is not UTF-8'
    return fail('InvalidJson', `The body is not JSON: ${why}.`)
  }
  const wrong = walk(value)
  if (!wrong) return succeed(value)
  return fail('InvalidRequest', `The body cannot be taken: ${wrong.pointer} ${wrong.reason}.`, { errors: [wrong] })
}

/** Looks for what no schema should have to cope with: deep nesting, and the key by which JavaScript names a prototype. */
function walk(root: unknown): FieldError | undefined {
  const open: { value: unknown; path: readonly string[] }[] = [{ value: root, path: [] }]
  for (let next = open.pop(); next; next = open.pop()) {
    const { value, path } = next
    if (typeof value !== 'object' || value === null) continue
    if (path.length >= MOST_DEPTH) return { pointer: jsonPointer(path), reason: `is deeper than ${MOST_DEPTH} levels` }
    for (const [key, inner] of Object.entries(value)) {
      if (key === '__proto__') return { pointer: jsonPointer([...path, key]), reason: 'is no field here' }
      if (typeof inner === 'object') open.push({ value: inner, path: [...path, key] })
    }
  }
  return undefined
}
