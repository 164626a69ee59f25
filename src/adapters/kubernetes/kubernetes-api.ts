import type { KindRef, KubeObject, KubeRef } from '../../model/kube.ts'
import { refOf } from '../../model/kube.ts'
import type { Clock } from '../../ports/clock.ts'
import type { AccessQuestion, ApplyOptions, ClusterApi, ListOptions, MetadataObject } from '../../ports/cluster-api.ts'
import { isPortError, PortError } from '../../ports/port-error.ts'
import type { Connection } from './connection.ts'
import { readPodLog } from './pod-log.ts'
import { type KeptAnswers, recentAnswers } from './recent-answers.ts'
import { pathPart, type Resource, resourceFinder, versionPath } from './resources.ts'

const FIELD_MANAGER = 'meshwright'
const METADATA_LIST = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1'
const defaultPageSize = 500
const maxPages = 10_000
/** How often a list starts over because its snapshot expired while it was read. */
const maxListStarts = 3

interface Target {
  readonly connection: Connection
  readonly resourceOf: (kind: KindRef) => Promise<Resource>
}

/**
 * One cluster's API. Objects go as plain JSON: the library's generic client would ask for the kinds first, drop fields
 * that its models do not know, and has no strict validation.
 */
export function kubernetesApi(connection: Connection, clock: Clock, kept: KeptAnswers): ClusterApi {
  const target: Target = { connection, resourceOf: resourceFinder(connection) }
  const recent = recentAnswers(clock, kept)
  return {
    get: (ref, { maxAgeMs } = {}) => recent(['get', ref], maxAgeMs, () => getObject(target, ref)),
    list: (kind, { maxAgeMs, ...options } = {}) =>
      recent(['list', kind, options], maxAgeMs, () => listAll<KubeObject>(target, kind, options)),
    listMetadata: (kind, { maxAgeMs, ...options } = {}) =>
      recent(['metadata', kind, options], maxAgeMs, () => listAll(target, kind, options, METADATA_LIST)),
    apply: (object, options) => applyObject(target, object, options),
    remove: (ref, uid, resourceVersion) => removeObject(target, ref, { uid, resourceVersion }),
    podLog: (pod, options = {}) => readPodLog(connection, pod, options),
    version: () => readVersion(connection),
    mayI: (question) => askAccess(connection, question),
  }
}

async function getObject(target: Target, ref: KubeRef): Promise<KubeObject | undefined> {
  try {
    return (await target.connection.send({ method: 'GET', path: await objectPath(target, ref) })) as KubeObject
  } catch (error) {
    if (isPortError(error, 'not-found') && error.reason !== 'UnknownKind') return undefined
    throw error
  }
}

async function applyObject(target: Target, object: KubeObject, options: ApplyOptions): Promise<KubeObject> {
  const answer = await target.connection.send({
    method: 'PATCH',
    path: await objectPath(target, refOf(object)),
    query: {
      fieldManager: options.manager ?? FIELD_MANAGER,
      fieldValidation: 'Strict',
      force: String(options.force),
      dryRun: options.dryRun ? 'All' : undefined,
    },
    contentType: 'application/apply-patch+yaml',
    body: object,
  })
  return answer as KubeObject
}

async function removeObject(
  target: Target,
  ref: KubeRef,
  preconditions: { readonly uid: string; readonly resourceVersion: string | undefined },
): Promise<void> {
  try {
    await target.connection.send({
      method: 'DELETE',
      path: await objectPath(target, ref),
      body: { apiVersion: 'v1', kind: 'DeleteOptions', preconditions, propagationPolicy: 'Background' },
    })
  } catch (error) {
    if (!isPortError(error, 'not-found')) throw error
  }
}

interface ListAnswer<Item> {
  readonly metadata?: { readonly continue?: string }
  readonly items?: readonly Item[]
}

/** All pages. An expired snapshot (410) starts over: pages of two snapshots would not fit together. */
async function listAll<Item extends MetadataObject>(
  target: Target,
  kind: KindRef,
  options: ListOptions = {},
  accept?: string,
): Promise<readonly Item[]> {
  for (let start = 1; ; start += 1) {
    try {
      return await listPages<Item>(target, kind, options, accept)
    } catch (error) {
      if (!isPortError(error, 'precondition') || start === maxListStarts) throw error
    }
  }
}

async function listPages<Item extends MetadataObject>(
  target: Target,
  kind: KindRef,
  { namespace, labelSelector, fieldSelector, pageSize = defaultPageSize }: ListOptions,
  accept: string | undefined,
): Promise<readonly Item[]> {
  const { connection } = target
  const path = collectionPath(await target.resourceOf(kind), kind.apiVersion, namespace, connection.system)
  const found: Item[] = []
  let next: string | undefined
  for (let page = 0; page < maxPages; page += 1) {
    const query = { limit: String(pageSize), labelSelector, fieldSelector, continue: next }
    const answer = (await connection.send({
      method: 'GET',
      path,
      query,
      ...(accept === undefined ? {} : { accept }),
    })) as ListAnswer<Item>
    // Items of a list do not say what they are, and those of a metadata list say something else.
    for (const item of answer.items ?? []) found.push({ ...item, apiVersion: kind.apiVersion, kind: kind.kind })
    next = answer.metadata?.continue
    if (!next) return found
  }
  throw new PortError('unavailable', connection.system, `the list of ${kind.kind} does not end`)
}

async function readVersion({ configuration }: Connection): Promise<string> {
  const { VersionApi } = await import('@kubernetes/client-node')
  return (await new VersionApi(configuration).getCode()).gitVersion
}

async function askAccess(
  { configuration }: Connection,
  { verb, group, resource, namespace, name }: AccessQuestion,
): Promise<boolean> {
  const { AuthorizationV1Api } = await import('@kubernetes/client-node')
  const resourceAttributes = {
    ...{ verb, group, resource },
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
  }
  const review = await new AuthorizationV1Api(configuration).createSelfSubjectAccessReview({
    body: { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec: { resourceAttributes } },
  })
  return review.status?.allowed === true
}

async function objectPath({ connection, resourceOf }: Target, ref: KubeRef): Promise<string> {
  const resource = await resourceOf(ref)
  if (resource.namespaced && ref.namespace === undefined) {
    throw new PortError('invalid', connection.system, `${ref.kind} ${ref.name} needs a namespace`)
  }
  const collection = collectionPath(resource, ref.apiVersion, ref.namespace, connection.system)
  return `${collection}/${pathPart(ref.name, connection.system)}`
}

function collectionPath(
  { plural, namespaced }: Resource,
  apiVersion: string,
  namespace: string | undefined,
  system: string,
): string {
  const scope = namespaced && namespace !== undefined ? `/namespaces/${pathPart(namespace, system)}` : ''
  return `${versionPath(apiVersion, system)}${scope}/${plural}`
}
