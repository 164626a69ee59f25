import { describe, expect, it } from 'vitest'
import { proxyPodsOf } from '../../../../src/mesh/trust/proxy-pods.ts'
import type { KubeMetadata, KubeObject } from '../../../../src/model/kube.ts'
import { anyCaSpec } from '../../../../src/model/mesh-ca.ts'
import type { RestartIntent } from '../../../../src/model/restarts.ts'
import type { Gathered } from '../../../../src/reconcile/restarts/gather-restarts.ts'
import { mostUnavailable, restartRefusal } from '../../../../src/reconcile/restarts/health.ts'
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

/** What Istio's injector leaves. */
const MARK = { 'sidecar.istio.io/status': '{}' }

function pod(name: string, change: Partial<KubeMetadata> = {}): KubeMetadata {
  const labels = { app: 'web', 'pod-template-hash': 'abc', 'security.istio.io/tlsMode': 'istio' }
  const ownerReferences = [{ kind: 'ReplicaSet', name: 'web-abc', controller: true }]
  return { name, namespace: 'shop', labels, creationTimestamp: OLD, ownerReferences, annotations: MARK, ...change }
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

describe('what bears a label of the mesh alone', () => {
  const labels = { app: 'web', 'pod-template-hash': 'abc', 'service.istio.io/canonical-name': 'web' }

  it('is not restarted, and named while it is old: gates count it', () => {
    const plain = { labels, annotations: {} }
    const pods = [pod('a', plain), pod('b', { ...plain, creationTimestamp: NEW })]
    expect(resolve({ pods })).toMatchObject({
      workloads: [],
      orphans: ['Pod shop/a: it bears a label of the mesh, and not the mark that its injector leaves'],
    })
  })

  it('is restarted where istiod made it for a Gateway, without its injector', () => {
    const managed = { ...labels, 'gateway.istio.io/managed': 'istio.io-gateway-controller' }
    const [found] = resolve({ pods: [pod('a', { labels: managed, annotations: {} })] }).workloads
    expect(found).toMatchObject({ role: 'gateway', old: 1 })
  })
})

describe('how many Pods a restart takes down', () => {
  type Case = [string, KubeObject['kind'], number, object | undefined, number]
  it.each<Case>([
    ['none of one', 'Deployment', 1, undefined, 0],
    ['a quarter of eight', 'Deployment', 8, undefined, 2],
    ['one where neither is allowed', 'Deployment', 3, { maxUnavailable: '25%', maxSurge: 0 }, 1],
    ['what is said', 'Deployment', 8, { maxUnavailable: 3 }, 3],
    ['one of a StatefulSet', 'StatefulSet', 5, undefined, 1],
    ['a half of a StatefulSet', 'StatefulSet', 5, { maxUnavailable: '50%' }, 2],
    ['one of a DaemonSet', 'DaemonSet', 5, undefined, 1],
    ['a part of a DaemonSet, rounded up', 'DaemonSet', 5, { maxUnavailable: '30%' }, 2],
    ['none of a DaemonSet that surges', 'DaemonSet', 5, { maxUnavailable: 0, maxSurge: 1 }, 0],
  ])('%s', (_, kind, count, rollingUpdate, expected) => {
    expect(mostUnavailable(sized(kind, count, rollingUpdate))).toBe(expected)
  })

  it.each<Case>([
    ['all of a Deployment: as Recreate', 'Deployment', 4, { maxUnavailable: '100%', maxSurge: 0 }, 0],
    ['its only one', 'Deployment', 1, { maxUnavailable: 1, maxSurge: 0 }, 0],
    ['all of a DaemonSet', 'DaemonSet', 4, { maxUnavailable: '100%' }, 0],
  ])('%s: it is never restarted', (_, kind, count, rollingUpdate) => {
    const refusal = restartRefusal(sized(kind, count, rollingUpdate))
    expect(refusal).toBe('its maxUnavailable lets all its Pods end before new ones have started')
  })

  it('decides what a PodDisruptionBudget matters', () => {
    const budget = (disruptionsAllowed: number): KubeObject => ({
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: 'web', namespace: 'shop' },
      spec: { selector: { matchLabels: { app: 'web' } } },
      status: { disruptionsAllowed },
    })
    const problem = (count: number, rollingUpdate: object | undefined, allowed: number) =>
      resolve({ controllers: [sized('Deployment', count, rollingUpdate)], budgets: [budget(allowed)] }).workloads[0]
        ?.problem
    expect(problem(1, undefined, 0)).toBeUndefined()
    expect(problem(4, { maxUnavailable: 2 }, 2)).toBeUndefined()
    expect(problem(4, { maxUnavailable: 2 }, 1)).toBe(
      'PodDisruptionBudget shop/web allows only 1 of the 2 Pods that its restart takes down at once',
    )
    expect(problem(4, { maxUnavailable: 2 }, 0)).toBe('PodDisruptionBudget shop/web allows no disruption now')
  })
})

/** A whole workload with so many Pods. */
function sized(kind: string, count: number, rollingUpdate: object | undefined): KubeObject {
  const how = { type: 'RollingUpdate', ...(rollingUpdate ? { rollingUpdate } : {}) }
  const all = { replicas: count, updatedReplicas: count, availableReplicas: count }
  const status = kind === 'DaemonSet' ? { desiredNumberScheduled: count } : all
  return controller({
    kind,
    spec: { ...controller().spec, replicas: count, strategy: how, updateStrategy: how },
    status: { observedGeneration: 3, ...status },
  })
}

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
