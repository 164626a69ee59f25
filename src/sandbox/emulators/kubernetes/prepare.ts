import type { Json, JsonObject, KubernetesObject, ObjectMeta } from './json.ts'
import { copy, isEmpty, isObject, valueAt, withoutNulls } from './json.ts'
import type { ResourceType } from './resource-type.ts'
import { apiVersionOf } from './resource-type.ts'
import { fillDefaults } from './shape.ts'
import { badRequest, invalid, quoted } from './status.ts'
import { emptyNullTexts, findWrongText, wrongTextMessage } from './text-fields.ts'

/**
 * The object in the body of a POST or PUT, or what a PATCH made of one.
 * @throws KubernetesError 400 for another kind or version, 422 for a custom resource of another kind, and what `refuse`
 * makes of the message when a string is none.
 */
export function readObject(type: ResourceType, body: Json, refuse = badRequest): KubernetesObject {
  if (!isObject(body)) throw badRequest(`the object provided is unrecognized (must be of type ${type.kind})`)
  const { apiVersion = '', kind = '' } = body
  const wanted = apiVersionOf(type)
  const metadata = (isObject(body.metadata) ? body.metadata : {}) as ObjectMeta
  const object = { ...body, apiVersion: wanted, kind: type.kind, metadata }
  if (apiVersion !== wanted && (apiVersion || type.custom)) {
    const versions = `(${String(apiVersion)}) does not match the expected API version (${wanted})`
    throw badRequest(`the API version in the data ${versions}`)
  }
  if (kind === type.kind || (!kind && !type.custom)) {
    checkTexts(type, object, refuse)
    return object
  }
  if (!kind) throw badRequest(`Object 'Kind' is missing in '${JSON.stringify(body)}'`)
  if (type.custom) throw wrongKind(type, String(kind), metadata.name ?? '')
  const what = `${String(kind)} in version ${quoted(wanted)} cannot be handled as a ${type.kind}`
  throw badRequest(what)
}

function checkTexts(type: ResourceType, object: KubernetesObject, refuse: typeof badRequest): void {
  const wrong = findWrongText(type.shape, object)
  const why = wrong ? wrongTextMessage(type.kind, type.custom, wrong) : type.undecodable?.(object)
  if (why === undefined) return
  throw refuse(`${type.kind} in version ${quoted(type.version)} cannot be handled as a ${type.kind}: ${why}`)
}

function wrongKind(type: ResourceType, kind: string, name: string) {
  const message = `Invalid value: ${quoted(kind)}: must be ${type.kind}`
  return invalid({ ...type, kind }, name, [{ field: 'kind', reason: 'FieldValueInvalid', message }])
}

/** The object as the server holds it: empty parts dropped where the type drops them, defaults filled in. */
export function normalized(type: ResourceType, object: KubernetesObject): KubernetesObject {
  const next = copy(object)
  emptyNullTexts(type.shape, next)
  if (!type.custom) dropNulls(next)
  next.metadata = tidyMetadata(next.metadata)
  for (const path of type.omitEmpty ?? []) omitEmpty(next, path.split('.'))
  fillDefaults(type.shape, next)
  type.complete?.(next)
  return next
}

/** Go's structs write no null but for times, and those lie in the lists of a status. */
function dropNulls(object: KubernetesObject): void {
  const { status, ...rest } = object
  Object.assign(object, withoutNulls(rest))
  if (!isObject(status)) return
  for (const [field, value] of Object.entries(status)) if (value === null) delete status[field]
}

/** The object that a creation starts from: nothing but what the type's empty struct holds. */
export function zeroObject(type: ResourceType): KubernetesObject {
  return { ...copy(type.zero ?? {}), apiVersion: apiVersionOf(type), kind: type.kind, metadata: {} }
}

/**
 * Takes the namespace of the request into the object.
 * @throws KubernetesError 400 when the object names another one.
 */
export function intoNamespace(type: ResourceType, object: KubernetesObject, namespace: string): KubernetesObject {
  const expected = type.namespaced ? namespace : ''
  const { namespace: named, ...metadata } = object.metadata
  if (named && named !== expected) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  }
  return { ...object, metadata: expected ? { ...metadata, namespace: expected } : metadata }
}

/** @throws KubernetesError 400 when the object does not bear the name of the request. */
export function checkName(object: KubernetesObject, name: string): void {
  const { name: named } = object.metadata
  if (!named)
    throw badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`)
  if (named !== name) throw badRequest(`the name of the object (${named}) does not match the name on the URL (${name})`)
}

function tidyMetadata(metadata: ObjectMeta): ObjectMeta {
  const kept = Object.entries(withoutNulls(metadata)).filter(([, value]) => !isEmpty(value) && value !== '')
  return Object.fromEntries(kept) as ObjectMeta
}

function omitEmpty(object: JsonObject, path: readonly string[]): void {
  const parent = valueAt(object, path.slice(0, -1))
  const field = path.at(-1) ?? ''
  if (isObject(parent) && field in parent && isEmpty(parent[field])) delete parent[field]
}
