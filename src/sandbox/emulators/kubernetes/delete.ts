import type { Cluster, Target } from './cluster.ts'
import { customResources } from './custom-resources.ts'
import type { Json, KubernetesObject } from './json.ts'
import { isEmpty, isObject } from './json.ts'
import { places } from './registry.ts'
import type { ResourceType } from './resource-type.ts'
import { invalidOptions, notFound, preconditionFailed, quoted } from './status.ts'

export interface DeleteOptions {
  readonly dryRun: boolean
  readonly uid?: string
  readonly resourceVersion?: string
}

/** What became of the object: `gone`, or `marked` because finalizers hold it. */
export interface Deleted {
  readonly outcome: 'gone' | 'marked'
  readonly object: KubernetesObject
}

const policies = ['Foreground', 'Background', 'Orphan']

/**
 * The options of a DELETE from its body and query. `propagationPolicy` is checked and otherwise without effect: the
 * emulator collects no dependents.
 */
export function readDeleteOptions(body: Json | undefined, query: URLSearchParams): DeleteOptions {
  const options = isObject(body) ? body : {}
  const policy = options.propagationPolicy ?? query.get('propagationPolicy')
  if (policy && !policies.includes(String(policy))) {
    const supported = [...policies, 'nil'].map(quoted).join(', ')
    const message = `Unsupported value: ${quoted(String(policy))}: supported values: ${supported}`
    throw invalidOptions('DeleteOptions', [{ field: 'propagationPolicy', reason: 'FieldValueNotSupported', message }])
  }
  const wanted = isObject(options.preconditions) ? options.preconditions : {}
  const { uid, resourceVersion } = wanted
  return {
    dryRun: query.getAll('dryRun').includes('All') || !isEmpty(options.dryRun),
    ...(typeof uid === 'string' ? { uid } : {}),
    ...(typeof resourceVersion === 'string' ? { resourceVersion } : {}),
  }
}

/** A DELETE. An object with finalizers is only marked. Throws KubernetesError 404 or, for a precondition, 409. */
export function deleteObject(cluster: Cluster, target: Omit<Target, 'subresource'>, options: DeleteOptions): Deleted {
  const { type, namespace, name } = target
  const live = cluster.store.get(type, namespace, name)
  if (!live) throw notFound(type, name)
  checkPreconditions(type, live, options)
  const held = !isEmpty(live.metadata.finalizers) || type.kind === 'Namespace'
  if (!held) return { outcome: 'gone', object: options.dryRun ? live : forget(cluster, type, live) }
  const marked = live.metadata.deletionTimestamp ? live : markDeleted(cluster, type, live)
  if (options.dryRun) return { outcome: 'marked', object: marked }
  const object = marked === live ? live : cluster.store.put(type, marked)
  if (type.kind === 'Namespace') emptyNamespace(cluster, name)
  return { outcome: 'marked', object }
}

/** Takes an object away for good, and what goes with it: a definition's objects, and a namespace that this leaves empty. */
export function forget(cluster: Cluster, type: ResourceType, object: KubernetesObject): KubernetesObject {
  if (type.kind === 'CustomResourceDefinition') {
    const [defined] = customResources(object)
    if (defined) for (const item of cluster.store.list(defined)) cluster.store.remove(defined, item)
  }
  const gone = cluster.store.remove(type, object)
  const namespace = cluster.store.get(namespaces, '', object.metadata.namespace ?? '')
  if (namespace?.metadata.deletionTimestamp) releaseNamespace(cluster, namespace)
  return gone
}

const namespaces = { group: '', plural: 'namespaces' }

/** A namespace takes its content with it; objects with finalizers keep it until they are gone. */
function emptyNamespace(cluster: Cluster, name: string): void {
  for (const type of places(cluster.registry)) {
    if (!type.namespaced) continue
    for (const { metadata } of cluster.store.list(type, name)) {
      deleteObject(cluster, { type, namespace: name, name: metadata.name ?? '' }, { dryRun: false })
    }
  }
  const namespace = cluster.store.get(namespaces, '', name)
  if (namespace) releaseNamespace(cluster, namespace)
}

function releaseNamespace(cluster: Cluster, namespace: KubernetesObject): void {
  const { name = '' } = namespace.metadata
  const left = places(cluster.registry).some((type) => type.namespaced && cluster.store.list(type, name).length > 0)
  if (!left && isEmpty(namespace.metadata.finalizers)) cluster.store.remove(namespaces, namespace)
}

function markDeleted(cluster: Cluster, type: ResourceType, live: KubernetesObject): KubernetesObject {
  const metadata = { ...live.metadata, deletionTimestamp: cluster.now() }
  if (type.kind === 'Namespace') return { ...live, metadata, status: { phase: 'Terminating' } }
  metadata.deletionGracePeriodSeconds = 0
  if (metadata.generation) metadata.generation++
  return { ...live, metadata }
}

function checkPreconditions(type: ResourceType, live: KubernetesObject, options: DeleteOptions): void {
  const { name = '', uid, resourceVersion } = live.metadata
  if (options.uid !== undefined && options.uid !== uid) {
    const why = `does not match the UID in record (${uid}). The object might have been deleted and then recreated`
    throw preconditionFailed(type, name, `the UID in the precondition (${options.uid}) ${why}`)
  }
  if (options.resourceVersion !== undefined && options.resourceVersion !== resourceVersion) {
    const why = `does not match the ResourceVersion in record (${resourceVersion}). The object might have been modified`
    throw preconditionFailed(type, name, `the ResourceVersion in the precondition (${options.resourceVersion}) ${why}`)
  }
}
