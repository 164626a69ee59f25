import type { Cluster, WriteOptions } from './cluster.ts'
import { nameSuffix, newUid, writerOf } from './cluster.ts'
import type { Json, KubernetesObject } from './json.ts'
import type { Managed } from './managed-fields.ts'
import { ownByUpdate, readManaged, writeManaged } from './managed-fields.ts'
import { nullErrors } from './null-fields.ts'
import { intoNamespace, normalized, readObject, zeroObject } from './prepare.ts'
import type { ResourceType } from './resource-type.ts'
import { fillDefaults } from './shape.ts'
import { alreadyExists, failure, invalid, notFound, resourceText } from './status.ts'
import { metadataErrors } from './validate-metadata.ts'

/** Fields of metadata that a creator cannot choose. */
const systemFields = ['uid', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds', 'generation']

/** A POST: the body becomes a new object. Throws KubernetesError when it may not be stored. */
export function createObject(
  cluster: Cluster,
  type: ResourceType,
  namespace: string,
  body: Json,
  options: WriteOptions,
): KubernetesObject {
  const object = normalized(type, intoNamespace(type, readObject(type, body), namespace))
  for (const field of systemFields) delete object.metadata[field]
  const writer = writerOf(cluster, { type, subresource: '' }, options.manager)
  const { managedFields, ...metadata } = object.metadata
  const bare = { ...object, metadata }
  const managed = ownByUpdate(type.shape, zeroObject(type), bare, readManaged(object), writer)
  return storeNew(cluster, type, bare, managed, options)
}

/** Stores an object that did not exist, whoever made it. Throws KubernetesError when it may not be stored. */
export function storeNew(
  cluster: Cluster,
  type: ResourceType,
  object: KubernetesObject,
  managed: Managed,
  { dryRun }: Pick<WriteOptions, 'dryRun'>,
): KubernetesObject {
  const { metadata } = object
  if (type.namespaced) checkNamespace(cluster, type, metadata.namespace ?? '', metadata.name ?? '')
  if (!metadata.name && metadata.generateName) metadata.name = metadata.generateName + nameSuffix(cluster.random)
  metadata.uid = newUid(cluster.random)
  metadata.creationTimestamp = cluster.now()
  if (type.generationOf) metadata.generation = 1
  if (managed.size > 0) metadata.managedFields = writeManaged(managed)
  if (type.status) delete object.status
  if (type.initialStatus) object.status = structuredClone(type.initialStatus)
  fillDefaults(type.shape, object)
  type.allocate?.(object, undefined, cluster.random)

  const own = type.validate?.(object, undefined) ?? []
  const errors = [...metadataErrors(type, object), ...nullErrors(type, object), ...own]
  if (errors.length > 0) throw invalid(type, metadata.name ?? '', errors)
  if (metadata.resourceVersion) throw failure(500, '', 'resourceVersion should not be set on objects to be created')
  const name = metadata.name ?? ''
  const live = cluster.store.get(type, metadata.namespace ?? '', name)
  if (live) throw alreadyExists(type, name, live.metadata.deletionTimestamp !== undefined)
  return dryRun ? object : cluster.store.put(type, object)
}

/** A namespace must be there, and not on its way out, before anything is created in it. */
function checkNamespace(cluster: Cluster, type: ResourceType, namespace: string, name: string): void {
  const namespaces = { group: '', plural: 'namespaces', kind: 'Namespace' }
  const found = cluster.store.get(namespaces, '', namespace)
  if (!found) throw notFound(namespaces, namespace)
  if (!found.metadata.deletionTimestamp) return
  const why = `unable to create new content in namespace ${namespace} because it is being terminated`
  throw failure(403, 'Forbidden', `${resourceText(type)} ${JSON.stringify(name)} is forbidden: ${why}`, {
    name,
    group: type.group,
    kind: type.plural,
    causes: [
      {
        reason: 'NamespaceTerminating',
        message: `namespace ${namespace} is being terminated`,
        field: 'metadata.namespace',
      },
    ],
  })
}
