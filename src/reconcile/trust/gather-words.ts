import { EARLY_MS, type PodSays, podSays, shown } from '../../mesh/istio/istiod-log.ts'
import { RUNNING_PODS } from '../../mesh/istio/trust.ts'
import { isCaRotationOver, isWritePhase } from '../../model/ca-rotation.ts'
import type { MeshCaDocument } from '../../model/documents.ts'
import { timestamp } from '../../model/names.ts'
import type { IstiodWords } from '../../model/trust.ts'
import type { ClusterApi } from '../../ports/cluster-api.ts'
import { isPortError, type PortError } from '../../ports/port-error.ts'

const POD = { apiVersion: 'v1', kind: 'Pod' }
/** Where istiod runs: of the AKS add-on, and elsewhere. */
const NAMESPACES = ['aks-istio-system', 'istio-system']
const MOST_PODS = 5
const TAIL = { tailLines: 5000, limitBytes: 1024 * 1024 }

interface Heard {
  /** `namespace/name` */
  readonly pod: string
  readonly says: PodSays | { readonly state: 'unreadable'; readonly line: string }
}

/**
 * What istiod's Pods say in their logs of the last write of the vault; undefined: nothing was written that they could speak of.
 * They are asked while a phase that writes has written; after that it is as it was. What cannot be read is a state, no error.
 */
export async function gatherWords(
  api: ClusterApi,
  { rotation, spec }: Pick<MeshCaDocument, 'rotation' | 'spec'>,
  before: IstiodWords | undefined,
): Promise<IstiodWords | undefined> {
  if (spec.purpose !== 'mesh-ca' || !rotation || isCaRotationOver(rotation)) return undefined
  const { writtenAt: since } = rotation
  if (since === undefined) return undefined
  const kept = before?.since === since ? before : undefined
  if (!isWritePhase(rotation.phase)) return kept
  try {
    return wordsOf(since, await listen(api, Date.parse(since)), kept)
  } catch (error) {
    if (!isPortError(error)) throw error
    return kept ?? { since, state: 'unreadable', line: reasonOf(error) }
  }
}

async function listen(api: ClusterApi, writtenAt: number): Promise<readonly Heard[]> {
  const pods = await api.listMetadata(POD, { labelSelector: 'app=istiod', fieldSelector: RUNNING_PODS })
  const ours = pods.filter(({ metadata: { namespace = '' } }) => NAMESPACES.includes(namespace)).slice(0, MOST_PODS)
  const heard = ours.map(({ metadata: { namespace = '', name } }) => hear(api, { namespace, name }, writtenAt))
  return Promise.all(heard)
}

async function hear(
  api: ClusterApi,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  writtenAt: number,
): Promise<Heard> {
  const pod = `${namespace}/${name}`
  try {
    const options = { container: CONTAINER, sinceTime: timestamp(writtenAt - EARLY_MS), ...TAIL }
    return { pod, says: podSays(await api.podLog({ namespace, name }, options), writtenAt) }
  } catch (error) {
    if (!isPortError(error)) throw error
    return { pod, says: { state: 'unreadable', line: reasonOf(error) } }
  }
}

const CONTAINER = 'discovery'

function reasonOf({ kind, message }: PortError): string {
  return kind === 'denied'
    ? 'get pods/log is not granted in its namespace (infra/kubernetes/trust-role.yaml)'
    : shown(message)
}

/** One that refuses is a refusal; taken it is when all took it. What was heard before counts on while the log has nothing newer. */
function wordsOf(since: string, heard: readonly Heard[], kept: IstiodWords | undefined): IstiodWords {
  const refusals = heard.flatMap(({ pod, says }) => (says.state === 'refused' ? [{ ...says, pod }] : []))
  const [refusal] = refusals.sort((one, other) => one.at - other.at)
  if (refusal) return { ...refusal, since, at: timestamp(refusal.at) }
  const taken = heard.flatMap(({ pod, says }) => (says.state === 'taken' ? [{ ...says, pod }] : []))
  const last = taken.sort((one, other) => other.at - one.at)[0]
  if (last && taken.length === heard.length) return { ...last, since, at: timestamp(last.at) }
  const isStill = heard.some(({ pod, says }) => pod === kept?.pod && says.state !== 'taken')
  if (kept && (kept.state === 'taken' || (kept.state === 'refused' && isStill))) return kept
  if (heard.length === 0) return { since, state: 'unreadable', line: `no Pod app=istiod in ${NAMESPACES.join(', ')}` }
  const deaf = heard.flatMap(({ pod, says }) => (says.state === 'unreadable' ? [{ ...says, pod }] : []))[0]
  return { since, ...(deaf ?? { state: 'silent' }) }
}
