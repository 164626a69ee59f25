import { accountNamespaces, namesCallers } from '../mesh/lint/check-callers.ts'
import type { Desired, Seen } from '../mesh/lint/subject.ts'
import type { KindRef } from '../model/kube.ts'
import type { ClusterApi, ListOptions, MetadataObject, ReadOptions } from '../ports/cluster-api.ts'
import { isPortError } from '../ports/port-error.ts'

const NAMESPACE: KindRef = { apiVersion: 'v1', kind: 'Namespace' }
const POD: KindRef = { apiVersion: 'v1', kind: 'Pod' }
const SERVICE_ACCOUNT: KindRef = { apiVersion: 'v1', kind: 'ServiceAccount' }

/** Beyond so many namespaces one list of the whole cluster is asked for. */
const MOST_LISTS = 8

/**
 * Reads what only a plan looks at, metadata alone: the Pods of the namespace, and where the service names callers, namespaces
 * and service accounts. What Meshwright may not list is named in `unseen`. Throws PortError.
 */
export async function gatherLint(
  api: ClusterApi,
  desired: Desired,
  age: ReadOptions,
): Promise<Pick<Seen, 'pods' | 'namespaces' | 'serviceAccounts' | 'unseen'>> {
  const unseen: string[] = []
  const list = async (kind: KindRef, options: ListOptions): Promise<readonly MetadataObject[] | undefined> => {
    const found = await tryList(api, kind, { ...options, ...age })
    if (found) return found
    const where = options.namespace === undefined ? '' : ` in namespace ${options.namespace}`
    unseen.push(`Meshwright may not list ${kind.kind}s${where}: what they show is not checked.`)
    return undefined
  }
  const holders = accountNamespaces(desired)
  const places = holders.length > MOST_LISTS ? [undefined] : holders
  const [pods, namespaces, accounts] = await Promise.all([
    list(POD, { namespace: desired.namespace }),
    namesCallers(desired) ? list(NAMESPACE, {}) : undefined,
    Promise.all(places.map((namespace) => list(SERVICE_ACCOUNT, namespace === undefined ? {} : { namespace }))),
  ])
  const known = accounts.every((found) => found !== undefined)
  return {
    ...(pods ? { pods } : {}),
    ...(namespaces ? { namespaces: namespaces.map(({ metadata }) => metadata.name) } : {}),
    ...(known ? { serviceAccounts: accounts.flat().map(keyOf) } : {}),
    unseen: unseen.sort(),
  }
}

function keyOf({ metadata }: MetadataObject): string {
  return `${metadata.namespace}/${metadata.name}`
}

async function tryList(
  api: ClusterApi,
  kind: KindRef,
  options: ListOptions,
): Promise<readonly MetadataObject[] | undefined> {
  try {
    return await api.listMetadata(kind, options)
  } catch (error) {
    if (isPortError(error, 'denied')) return undefined
    throw error
  }
}
