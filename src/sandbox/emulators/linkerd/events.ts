import type { KubernetesEmulator } from '../kubernetes/kubernetes-emulator.ts'
import type { IssuerNews } from './controllers.ts'
import { hashOf } from './state.ts'

/** Events are kept for so long. */
const KEPT_MS = 3_600_000
const SOURCE = 'linkerd-identity'

type Kubernetes = Pick<KubernetesEmulator, 'seed' | 'list' | 'get' | 'remove'>

/** Posts what a controller says, as its recorder does: the same words again raise the count of the event that is there. */
export function postEvent(kubernetes: Kubernetes, namespace: string, news: IssuerNews, now: number): void {
  const { reason, message } = news
  const at = timeOf(now)
  const name = `linkerd-identity.${hashOf(`${reason} ${message}`).slice(0, 16)}`
  const known = kubernetes.get('v1', 'Event', namespace, name)
  const metadata = { name, namespace }
  kubernetes.seed([
    {
      apiVersion: 'v1',
      kind: 'Event',
      metadata,
      involvedObject: { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: 'linkerd-identity' },
      reason,
      message,
      type: reason === 'IssuerUpdated' ? 'Normal' : 'Warning',
      source: { component: SOURCE },
      reportingComponent: SOURCE,
      reportingInstance: '',
      firstTimestamp: typeof known?.firstTimestamp === 'string' ? known.firstTimestamp : at,
      lastTimestamp: at,
      count: (typeof known?.count === 'number' ? known.count : 0) + 1,
    },
  ])
}

/** Events of which nothing was heard for an hour go. */
export function dropOldEvents(kubernetes: Kubernetes, namespace: string, now: number): void {
  for (const { metadata, lastTimestamp, reportingComponent } of kubernetes.list('v1', 'Event', namespace)) {
    if (reportingComponent !== SOURCE || now - Date.parse(String(lastTimestamp)) <= KEPT_MS) continue
    kubernetes.remove('v1', 'Event', namespace, metadata.name ?? '')
  }
}

function timeOf(now: number): string {
  return `${new Date(now).toISOString().slice(0, 19)}Z`
}
