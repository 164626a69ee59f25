import type { KubernetesObject } from './json.ts'
import { valueAt } from './json.ts'
import type { ResourceType } from './resource-type.ts'
import { badRequest, quoted } from './status.ts'

export type Selector = (object: KubernetesObject) => boolean

/**
 * A `labelSelector`: equality (`a=b`, `a==b`, `a!=b`), sets (`a in (b,c)`, `a notin (b)`), presence (`a`, `!a`).
 * A negative requirement is also met by an object without the label. Throws KubernetesError 400.
 */
export function labelSelector(text: string): Selector {
  const tokens = tokenize(text)
  const requirements: Selector[] = []
  while (tokens.length > 0) {
    requirements.push(readRequirement(tokens))
    const comma = tokens.shift()
    if (comma !== undefined && comma !== ',') throw unexpected(comma, "',' or 'end of string'")
    if (comma === ',' && tokens.length === 0) throw unexpected('', "identifier after ','")
  }
  return (object) => requirements.every((meets) => meets(object))
}

/** A `fieldSelector` on name, namespace and what the type offers besides. Throws KubernetesError 400. */
export function fieldSelector(type: ResourceType, text: string): Selector {
  const known = ['metadata.name', ...(type.namespaced ? ['metadata.namespace'] : []), ...(type.selectable ?? [])]
  const requirements = text
    .split(',')
    .filter(Boolean)
    .map((term): Selector => {
      const [, field = '', operator = '', value = ''] = /^([^=!]+)(==|!=|=)(.*)$/.exec(term) ?? []
      if (!operator) throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`)
      if (!known.includes(field)) throw unknownField(type, field)
      const path = field.split('.')
      const wanted = operator !== '!='
      return (object) => (String(valueAt(object, path) ?? '') === value) === wanted
    })
  return (object) => requirements.every((meets) => meets(object))
}

function unknownField(type: ResourceType, field: string) {
  if (type.custom || type.selectable) return badRequest(`field label not supported: ${field}`)
  const known = '"metadata.name", "metadata.namespace"'
  return badRequest(`${quoted(field)} is not a known field selector: only ${known}`)
}

function tokenize(text: string): string[] {
  return text.match(/!=|==|[=!(),]|[^\s=!(),]+/g) ?? []
}

function readRequirement(tokens: string[]): Selector {
  const negated = tokens[0] === '!' && tokens.shift() === '!'
  const key = readIdentifier(tokens)
  const labelOf = (object: KubernetesObject): string | undefined => object.metadata.labels?.[key]
  if (negated) return (object) => labelOf(object) === undefined
  const next = tokens[0]
  if (next === undefined || next === ',') return (object) => labelOf(object) !== undefined
  tokens.shift()
  if (next === '=' || next === '==') {
    const value = readValue(tokens)
    return (object) => labelOf(object) === value
  }
  if (next === '!=') {
    const value = readValue(tokens)
    return (object) => labelOf(object) !== value
  }
  if (next !== 'in' && next !== 'notin') throw unexpected(next, 'in, notin, =, ==, !=, gt, lt')
  const values = readValues(tokens)
  if (next === 'notin') return (object) => !values.includes(labelOf(object) ?? '\0')
  return (object) => values.includes(labelOf(object) ?? '\0')
}

function readIdentifier(tokens: string[]): string {
  const token = tokens.shift()
  if (token === undefined || /^[=!(),]/.test(token)) throw unexpected(token ?? '', 'identifier')
  return token
}

/** A value may be empty, as in `a=` or `a=,b`. */
function readValue(tokens: string[]): string {
  const token = tokens[0]
  if (token === undefined || token === ',') return ''
  return readIdentifier(tokens)
}

function readValues(tokens: string[]): string[] {
  const open = tokens.shift()
  if (open !== '(') throw unexpected(open ?? '', "'('")
  const values: string[] = []
  for (;;) {
    const token = tokens.shift()
    if (token === undefined) throw unexpected('', "',', ')' or identifier")
    if (token === ')') break
    if (token !== ',') values.push(token)
  }
  return values.length > 0 ? values : ['']
}

function unexpected(found: string, expected: string) {
  return badRequest(`unable to parse requirement: found '${found}', expected: ${expected}`)
}
