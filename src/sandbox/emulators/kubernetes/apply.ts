import { parse } from 'yaml'
import { applyOwned } from './apply-ownership.ts'
import type { Cluster, CreatingOptions, Target, Written } from './cluster.ts'
import { writerOf } from './cluster.ts'
import { storeNew } from './create.ts'
import type { Json, JsonObject, KubernetesObject } from './json.ts'
import { isObject } from './json.ts'
import type { Managed } from './managed-fields.ts'
import { ownByUpdate, readManaged } from './managed-fields.ts'
import { checkName, intoNamespace, normalized, zeroObject } from './prepare.ts'
import type { ResourceType } from './resource-type.ts'
import { apiVersionOf } from './resource-type.ts'
import { badRequest, conflict, failure, notFound } from './status.ts'
import { checkShape, ShapeError } from './typed-value.ts'
import { storeChanged } from './update.ts'

export interface ApplyOptions extends CreatingOptions {
  readonly force: boolean
}

/** Server-side apply. Throws KubernetesError. */
export function applyObject(cluster: Cluster, target: Target, body: string, options: ApplyOptions): Written {
  const { type, namespace, name } = target
  const config = readConfig(type, body)
  const stored = cluster.store.get(type, namespace, name)
  if (!stored && target.subresource !== '') throw notFound(type, name)
  const live = stored ? { ...stored, apiVersion: apiVersionOf(type) } : zeroObject(type)
  const writer = { ...writerOf(cluster, target, options.manager), force: options.force }
  const bare = withoutOwners(live)
  const applied = applyOwned(type.shape, bare, config, ownersOf(type, cluster, stored, bare), writer)
  const next = intoNamespace(type, normalized(type, applied.object), namespace)

  if (stored) {
    checkName(next, name)
    return { object: storeChanged(cluster, target, live, next, applied.managed, options), created: false }
  }
  const { uid } = next.metadata
  if (uid) {
    const why = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`
    throw conflict(type, name, why)
  }
  checkName(next, name)
  options.mayCreate()
  // What is not there has no revision to differ from, so one that the applier names counts for nothing.
  delete next.metadata.resourceVersion
  return { object: storeNew(cluster, type, next, applied.managed, options), created: true }
}

/** An object that nobody applied before and whose writers were not tracked belongs to `before-first-apply`. */
function ownersOf(
  type: ResourceType,
  cluster: Cluster,
  stored: KubernetesObject | undefined,
  live: KubernetesObject,
): Managed {
  const managed = readManaged(stored)
  if (!stored || managed.size > 0) return managed
  const writer = writerOf(cluster, { type, subresource: '' }, 'before-first-apply')
  return ownByUpdate(type.shape, zeroObject(type), live, managed, writer)
}

function readConfig(type: ResourceType, body: string): KubernetesObject {
  const config = readYaml(body)
  const { apiVersion = '', kind = '' } = config
  if (apiVersion !== apiVersionOf(type) || kind !== type.kind) {
    const [version = '', group = ''] = String(apiVersion).split('/').reverse()
    throw badRequest(`invalid object type: ${group}/${version}, Kind=${String(kind)}`)
  }
  const metadata = isObject(config.metadata) ? config.metadata : {}
  const object = { ...config, apiVersion, kind, metadata } as KubernetesObject
  if (metadata.managedFields !== undefined && metadata.managedFields !== null) {
    throw badRequest('metadata.managedFields must be nil')
  }
  try {
    checkShape(type.shape, object)
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error
    const where = `${String(metadata.namespace ?? '')}/${String(metadata.name ?? '')}`
    const what = `${where}; ${type.group}/${type.version}, Kind=${type.kind}`
    throw failure(500, '', `failed to create typed patch object (${what}): ${error.message}`)
  }
  return object
}

function readYaml(body: string): JsonObject {
  let config: Json
  try {
    config = parse(body)
  } catch (error) {
    const why = error instanceof Error ? (error.message.split('\n')[0] ?? '') : ''
    throw badRequest(`error decoding YAML: error converting YAML to JSON: yaml: ${why}`)
  }
  if (isObject(config)) return config
  const what = Array.isArray(config) ? 'array' : typeof config
  const why = `json: cannot unmarshal ${what} into Go value of type map[string]interface {}`
  throw badRequest(`error decoding YAML: error unmarshaling JSON: while decoding JSON: ${why}`)
}

function withoutOwners(object: KubernetesObject): KubernetesObject {
  const { managedFields, ...metadata } = object.metadata
  return { ...object, metadata }
}
