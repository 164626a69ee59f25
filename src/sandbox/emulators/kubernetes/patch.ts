import type { Json, JsonObject } from './json.ts'
import { copy, equal, isObject } from './json.ts'
import { badRequest, failure } from './status.ts'

/** RFC 7396: null removes, objects merge, anything else takes the place. */
export function mergePatch(target: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch
  const merged: JsonObject = isObject(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key]
    else if (value !== undefined) merged[key] = mergePatch(merged[key], value)
  }
  return merged
}

/** The body of a merge patch. Throws KubernetesError 400 when it is no JSON object. */
export function readMergePatch(body: string): JsonObject {
  const patch = readJson(body)
  if (isObject(patch)) return patch
  throw cannotUnmarshal(patch, 'map[string]interface {}')
}

/** The operations of a JSON patch. Throws KubernetesError 400 when the body is no list. */
export function readJsonPatch(body: string): JsonObject[] {
  const patch = readJson(body)
  if (Array.isArray(patch) && patch.every(isObject)) return patch
  throw cannotUnmarshal(patch, '[]handlers.jsonPatchOp')
}

/** RFC 6902. Throws KubernetesError 422, which does not say why, when an operation cannot be carried out. */
export function jsonPatch(target: Json, operations: readonly JsonObject[]): Json {
  let document = copy(target)
  for (const operation of operations) document = carryOut(document, operation)
  return document
}

function carryOut(document: Json, operation: JsonObject): Json {
  const { op, value = null } = operation
  const path = pointer(operation.path)
  if (op === 'add') return put(document, path, value, true)
  if (op === 'replace') {
    lookUp(document, path)
    return put(document, path, value, false)
  }
  if (op === 'remove') return take(document, path)
  if (op === 'test') {
    if (!equal(lookUp(document, path), value)) throw rejected()
    return document
  }
  const from = pointer(operation.from)
  const found = copy(lookUp(document, from))
  if (op === 'copy') return put(document, path, found, true)
  if (op === 'move') return put(take(document, from), path, found, true)
  throw rejected()
}

function pointer(path: Json | undefined): string[] {
  if (typeof path !== 'string' || (path !== '' && !path.startsWith('/'))) throw rejected()
  const steps = path.split('/').slice(1)
  return steps.map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
}

function lookUp(document: Json, path: readonly string[]): Json {
  let at: Json | undefined = document
  for (const step of path) at = Array.isArray(at) ? at[Number(step)] : isObject(at) ? at[step] : undefined
  if (at === undefined) throw rejected()
  return at
}

function put(document: Json, path: readonly string[], value: Json, insert: boolean): Json {
  if (path.length === 0) return value
  const parent = lookUp(document, path.slice(0, -1))
  const last = path.at(-1) ?? ''
  if (Array.isArray(parent)) {
    const at = last === '-' ? parent.length : Number(last)
    if (!Number.isInteger(at) || at < 0 || at > parent.length) throw rejected()
    parent.splice(at, insert ? 0 : 1, value)
  } else if (isObject(parent)) parent[last] = value
  else throw rejected()
  return document
}

function take(document: Json, path: readonly string[]): Json {
  lookUp(document, path)
  const parent = lookUp(document, path.slice(0, -1))
  const last = path.at(-1) ?? ''
  if (Array.isArray(parent)) parent.splice(Number(last), 1)
  else if (isObject(parent)) delete parent[last]
  return document
}

function readJson(body: string): Json {
  try {
    return JSON.parse(body)
  } catch {
    throw badRequest('error decoding patch: unexpected end of JSON input')
  }
}

function cannotUnmarshal(value: Json, into: string) {
  const what = Array.isArray(value) ? 'array' : typeof value
  return badRequest(`error decoding patch: json: cannot unmarshal ${what} into Go value of type ${into}`)
}

function rejected() {
  return failure(422, 'Invalid', 'the server rejected our request due to an error in our request', {})
}
