import type { KubeObject } from '../../../../src/model/kube.ts'
import type { Workload } from '../../../../src/reconcile/restarts/workload.ts'

const LIVE: KubeObject = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace: 'shop' } }

/** Deployment shop/web with two Pods, both to be restarted, healthy. */
export function aWorkload(change: Partial<Workload> = {}): Workload {
  const { namespace = 'shop', name = 'web' } = change
  return {
    kind: 'Deployment',
    namespace,
    name,
    uid: `uid-${namespace}-${name}`,
    live: LIVE,
    role: 'sidecar',
    pods: 2,
    old: 2,
    oldestStart: '2026-05-01T08:00:00Z',
    isRolledOut: true,
    ...change,
  }
}
