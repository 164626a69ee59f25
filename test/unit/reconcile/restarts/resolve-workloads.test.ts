import { describe, expect, it } from 'vitest'
import { proxyPodsOf } from '../../../../src/mesh/trust/proxy-pods.ts'
import type { KubeMetadata, KubeObject } from '../../../../src/model/kube.ts'
import { anyCaSpec } from '../../../../src/model/mesh-ca.ts'
import type { RestartIntent } from '../../../../src/model/restarts.ts'
import type { Gathered } from '../../../../src/reconcile/restarts/gather-restarts.ts'
import { restartRefusal } from '../../../../src/reconcile/restarts/health.ts'
import { resolveWorkloads } from '../../../../src/reconcile/restarts/resolve-workloads.ts'

const OLD = '2026-05-01T10:00:00Z'
const NEW = '2026-05-01T10:00:01Z'
const common = { cluster: 'east', root: { kind: 'vault-key' } }
const SPECS = {
  istio: anyCaSpec.parse({ purpose: 'mesh-ca', ...common }),
  linkerd: anyCaSpec.parse({ purpose: 'linkerd-identity', ...common }),
}
const INTENT: RestartIntent = { olderThan: '2026-05-01T10:00:00.000Z' }
/** Of the anchors that Pods are to start with. */
const WANTED = 'a'.repeat(64)

function pod(name: string, change: Partial<KubeMetadata> = {}): KubeMetadata {
  const labels = { app: 'web', 'pod-template-hash': 'abc', 'security.istio.io/tlsMode': 'istio' }
  const ownerReferences = [{ kind: 'ReplicaSet', name: 'web-abc', controller: true }]
  return { name, namespace: 'shop', labels, creationTimestamp: OLD, ownerReferences, ...change }
}

function controller(change: Partial<KubeObject> = {}): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'shop', uid: 'u', generation: 3 },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } } },
    },
    status: { observedGeneration: 3, replicas: 2, updatedReplicas: 2, availableReplicas: 2 },
    ...change,
  }
}

function resolve(change: Partial<Gathered> = {}, intent = INTENT, provider: 'istio' | 'linkerd' = 'istio') {
  const gathered = { pods: [pod('a')], controllers: [controller()], budgets: [], heldNamespaces: new Set<string>() }
  const rules = { intent, proxies: proxyPodsOf(SPECS[provider]), rollouts: new Map([['pay', 'pay/till']]) }
  return resolveWorkloads({ ...gathered, ...change }, rules)
}

describe('what makes Pods with a proxy', () => {
  it('is the Deployment behind their ReplicaSet, by name and hash; those as old as the moment are old', () => {
    const { workloads, orphans, pods } = resolve({ pods: [pod('a'), pod('b', { creationTimestamp: NEW })] })
    expect(workloads).toMatchObject([
      { kind: 'Deployment', namespace: 'shop', name: 'web', pods: 2, old: 1, oldestStart: OLD, isRolledOut: true },
    ])
    expect([orphans, pods]).toEqual([[], 2])
  })

  it('is nothing where no Deployment of that name selects them: another tool owns the ReplicaSet', () => {
    const foreign = controller({ spec: { selector: { matchLabels: { app: 'other' } } } })
    expect(resolve({ controllers: [foreign] })).toMatchObject({
      workloads: [],
      orphans: ['Pod shop/a: Deployment web makes it, which cannot be restarted'],
    })
    const rollout = pod('a', { labels: { app: 'web', 'rollouts-pod-template-hash': 'abc' } })
    expect(resolve({ pods: [rollout] }).orphans).toEqual([
      'Pod shop/a: ReplicaSet web-abc makes it, which cannot be restarted',
    ])
    expect(resolve({ pods: [pod('a', { ownerReferences: [], creationTimestamp: NEW })] }).orphans).toEqual([])
  })

  it.each<[string, Partial<KubeObject>, string | undefined]>([
    ['is whole', {}, undefined],
    [
      'has fewer available than desired',
      { status: { observedGeneration: 3, replicas: 2, updatedReplicas: 2, availableReplicas: 1 } },
      'not all',
    ],
    [
      'was changed just now',
      { status: { observedGeneration: 2, replicas: 2, updatedReplicas: 2, availableReplicas: 2 } },
      'not all',
    ],
    [
      'is amid a rollout',
      { status: { observedGeneration: 3, replicas: 3, updatedReplicas: 1, availableReplicas: 2 } },
      'not all',
    ],
    [
      'is scaled to 0',
      { spec: { ...controller().spec, replicas: 0 }, status: { observedGeneration: 3 } },
      'it is scaled to 0',
    ],
  ])('%s', (_, change, problem) => {
    const [found] = resolve({ controllers: [controller(change)] }).workloads
    expect(found?.problem?.slice(0, problem?.length)).toBe(problem)
  })

  it('waits for a rollout of ours in its namespace', () => {
    const metadata = { ...controller().metadata, namespace: 'pay' }
    const found = resolve({ pods: [pod('a', { namespace: 'pay' })], controllers: [controller({ metadata })] })
    expect(found.workloads[0]?.problem).toBe('a rollout of pay/till is live in its namespace')
  })

  it.each<[string, KubeObject['kind'], Readonly<Record<string, unknown>>]>([
    ['it is paused', 'Deployment', { paused: true }],
    ['its strategy Recreate', 'Deployment', { strategy: { type: 'Recreate' } }],
    ['its update strategy OnDelete', 'DaemonSet', { updateStrategy: { type: 'OnDelete' } }],
    ['its update strategy has a partition', 'StatefulSet', { updateStrategy: { rollingUpdate: { partition: 1 } } }],
  ])('is never restarted when %s', (why, kind, spec) => {
    expect(restartRefusal(controller({ kind, spec }))?.slice(0, why.length)).toBe(why)
    expect(restartRefusal(controller({ kind, spec: { updateStrategy: { type: 'RollingUpdate' } } }))).toBeUndefined()
  })

  it('is a gateway without the label of sidecars', () => {
    const labels = { app: 'web', 'pod-template-hash': 'abc', 'service.istio.io/canonical-name': 'ingress' }
    expect(resolve({ pods: [pod('a', { labels })] }).workloads[0]?.role).toBe('gateway')
  })
})

describe('of Linkerd', () => {
  const labels = { app: 'web', 'pod-template-hash': 'abc', 'linkerd.io/control-plane-ns': 'linkerd' }
  const plane = { ...labels, 'linkerd.io/control-plane-component': 'identity' }
  const with_ = (hash: string) => ({ labels, annotations: { 'linkerd.io/trust-root-sha256': hash } })
  const old = (pods: readonly KubeMetadata[], intent: RestartIntent) =>
    resolve({ pods }, intent, 'linkerd').workloads.map((one) => `${one.role} ${one.old} of ${one.pods}`)

  it('Pods are restarted by the anchors that they started with, whatever their age', () => {
    const pods = [
      pod('a', with_('0'.repeat(64))),
      pod('b', { ...with_(WANTED), creationTimestamp: OLD }),
      pod('c', { labels }),
    ]
    expect(old(pods, { ...INTENT, anchors: WANTED })).toEqual(['sidecar 2 of 3'])
  })

  it('the control plane by its age, first or alone, when the intent says so; what bears its labels elsewhere is none of it', () => {
    const own = { labels: plane, namespace: 'linkerd' }
    const pods = [pod('a', own), pod('b', { ...own, creationTimestamp: NEW }), pod('c', { labels: plane })]
    const controllers = [controller(), controller({ metadata: { ...controller().metadata, namespace: 'linkerd' } })]
    const old = (intent: RestartIntent) =>
      resolve({ pods, controllers }, intent, 'linkerd').workloads.map((one) => `${one.role} ${one.old} of ${one.pods}`)
    expect(old({ ...INTENT, controlPlane: 'alone' })).toEqual(['control-plane 1 of 2'])
    expect(old({ ...INTENT, controlPlane: 'first' })).toEqual(['control-plane 1 of 2', 'sidecar 1 of 1'])
    expect(old({ ...INTENT, anchors: WANTED, controlPlane: 'first' })).toEqual([
      'control-plane 1 of 2',
      'sidecar 1 of 1',
    ])
    expect(old(INTENT)).toEqual(['sidecar 1 of 1'])
  })
})
