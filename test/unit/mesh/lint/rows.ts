import type { LintCode } from '../../../../src/mesh/lint/codes.ts'
import type { Desired, Seen } from '../../../../src/mesh/lint/subject.ts'
import type { KubeObject } from '../../../../src/model/kube.ts'
import { effectivePolicy, type PolicyLayer } from '../../../../src/model/policy/effective-policy.ts'
import { specOf } from '../istio/specs.ts'

type Fields = Readonly<Record<string, unknown>>

/** Service shop/web as asked for; `spec` changes its body. */
export function desiredOf(
  spec: Fields = {},
  change: Partial<Desired> = {},
  beneath: readonly PolicyLayer[] = [],
): Desired {
  const own = specOf({ versions: VERSIONS, ...spec })
  const policy = effectivePolicy(own, own.overrides ? [0] : [], beneath)
  return {
    namespace: 'shop',
    name: 'web',
    spec: own,
    policy,
    weights: { v1: 100 },
    mesh: { provider: 'istio' },
    ...change,
  }
}

const VERSIONS = { v1: { labels: { app: 'web', version: 'v1' } }, v2: { labels: { app: 'web', version: 'v2' } } }

export function pod(name: string, labels: Readonly<Record<string, string>>, hasProxy = true) {
  const annotations = hasProxy ? { 'sidecar.istio.io/status': '{}' } : {}
  return { metadata: { name, namespace: 'shop', labels, annotations } }
}

export function kubeService(
  ports: readonly Fields[],
  selector: Readonly<Record<string, string>> = { app: 'web' },
): KubeObject {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace: 'shop' }, spec: { ports, selector } }
}

export function namespace(labels: Readonly<Record<string, string>> = { 'istio-injection': 'enabled' }): KubeObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop', labels } }
}

/** A cluster on which nothing is wrong. */
export function seenOf(change: Partial<Seen> = {}): Seen {
  return {
    namespace: namespace(),
    kubeService: kubeService([{ name: 'http', port: 80 }]),
    pods: [pod('web-1', { app: 'web', version: 'v1' }), pod('web-2', { app: 'web', version: 'v2' })],
    namespaces: ['shop', 'front'],
    serviceAccounts: ['shop/web', 'front/bff'],
    rivals: [],
    unseen: [],
    ...change,
  }
}

function rival(kind: string, apiVersion = 'networking.istio.io/v1'): KubeObject {
  return { apiVersion, kind, metadata: { name: 'other', namespace: 'shop' } }
}

const allow = (...rules: readonly Fields[]): Fields => ({
  authorization: { allow: rules.map((rule, index) => ({ name: `r${index}`, ...rule })) },
})
const routes = (...match: readonly (readonly Fields[])[]): Fields => ({
  traffic: { routes: match.map((one, index) => ({ name: `r${index}`, match: one })) },
})
const WORKLOAD = { workload: { labels: { app: 'web' } } }
const A = { path: { prefix: '/a' } }

export interface Row {
  readonly code: LintCode
  readonly what: string
  readonly desired: Desired
  readonly seen: Seen
  /** Undefined: it must not be found. */
  readonly field?: string | undefined
  readonly found: boolean
}

const row = (code: LintCode, what: string, desired: Desired, seen: Seen, field?: string): Row => ({
  code,
  what,
  desired,
  seen,
  found: true,
  field,
})
const not = (code: LintCode, what: string, desired: Desired, seen: Seen): Row => ({
  code,
  what,
  desired,
  seen,
  found: false,
})
const portOf = (port: Fields) => seenOf({ kubeService: kubeService([{ port: 80, ...port }]) })
const grpc = { ports: [{ name: 'db', port: 80, protocol: 'tcp' }] }
const target = { ports: [{ name: 'http', port: 80, protocol: 'http', targetPort: 8080 }] }

const PORT_ROWS: readonly Row[] = [
  row('PortNameUnclear', 'a port called web', desiredOf(), portOf({ name: 'web' }), '/ports/0/protocol'),
  row('PortNameUnclear', 'a port without a name', desiredOf(), portOf({}), '/ports/0/protocol'),
  row('PortNameUnclear', 'httpx, which is no http', desiredOf(), portOf({ name: 'httpx' }), '/ports/0/protocol'),
  not('PortNameUnclear', 'http-web', desiredOf(), portOf({ name: 'http-web' })),
  not('PortNameUnclear', 'grpc-web-api', desiredOf(), portOf({ name: 'grpc-web-api' })),
  not('PortNameUnclear', 'an appProtocol', desiredOf(), portOf({ name: 'web', appProtocol: 'HTTP' })),
  not('PortNameUnclear', 'another mesh', desiredOf({}, { mesh: { provider: 'consul' } }), portOf({ name: 'web' })),
  row('PortProtocolDiffers', 'tcp for http', desiredOf(), portOf({ name: 'tcp-web' }), '/ports/0/protocol'),
  row(
    'PortProtocolDiffers',
    'appProtocol before the name',
    desiredOf(),
    portOf({ name: 'http', appProtocol: 'tcp' }),
    '/ports/0/protocol',
  ),
  row('PortProtocolDiffers', 'http for tcp', desiredOf(grpc), portOf({ name: 'http' }), '/ports/0/protocol'),
  not('PortProtocolDiffers', 'grpc for http', desiredOf(), portOf({ name: 'grpc' })),
  row(
    'TargetPortDiffers',
    'another number',
    desiredOf(target),
    portOf({ name: 'http', targetPort: 8081 }),
    '/ports/0/targetPort',
  ),
  row('TargetPortDiffers', 'the port itself', desiredOf(target), portOf({ name: 'http' }), '/ports/0/targetPort'),
  not('TargetPortDiffers', 'the same number', desiredOf(target), portOf({ name: 'http', targetPort: 8080 })),
  not(
    'TargetPortDiffers',
    'a name, which tells no number',
    desiredOf(target),
    portOf({ name: 'http', targetPort: 'web' }),
  ),
  row(
    'PortsUnregistered',
    'one more',
    desiredOf(),
    seenOf({
      kubeService: kubeService([
        { name: 'http', port: 80 },
        { name: 'tcp', port: 81 },
      ]),
    }),
    '/ports',
  ),
  not('PortsUnregistered', 'the same ports', desiredOf(), seenOf()),
]

const bare = [pod('web-1', { app: 'web', version: 'v1' }, false), pod('web-2', { app: 'web', version: 'v2' }, false)]
const POD_ROWS: readonly Row[] = [
  row(
    'VersionWithoutPods',
    'v2 is not there',
    desiredOf(),
    seenOf({ pods: [pod('web-1', { app: 'web', version: 'v1' })] }),
    '/versions/v2/labels',
  ),
  not('VersionWithoutPods', 'Pods of both', desiredOf(), seenOf()),
  not(
    'VersionWithoutPods',
    'a version that gets requests',
    desiredOf({}, { weights: { v1: 50, v2: 50 } }),
    seenOf({ pods: [] }),
  ),
  row('NamespaceNotInjected', 'no label, no proxy', desiredOf(), seenOf({ namespace: namespace({}), pods: bare })),
  row(
    'NamespaceNotInjected',
    'a label that the add-on does not know',
    desiredOf({}, { mesh: { provider: 'istio', namespace: 'aks-istio-system' } }),
    seenOf({ pods: bare }),
  ),
  not('NamespaceNotInjected', 'Pods with proxies all the same', desiredOf(), seenOf({ namespace: namespace({}) })),
  not(
    'NamespaceNotInjected',
    'a revision',
    desiredOf(),
    seenOf({ namespace: namespace({ 'istio.io/rev': 'asm-1-30' }), pods: bare }),
  ),
  row(
    'PodWithoutProxy',
    'one of two',
    desiredOf(),
    seenOf({ pods: [...bare.slice(0, 1), pod('web-2', { app: 'web', version: 'v2' })] }),
  ),
  row('PodWithoutProxy', 'on OSM', desiredOf({}, { mesh: { provider: 'osm' } }), seenOf()),
  not(
    'PodWithoutProxy',
    'a Pod of another service',
    desiredOf(),
    seenOf({ pods: [pod('other', { app: 'other' }, false)] }),
  ),
  not(
    'PodWithoutProxy',
    'a mesh of which it cannot be told',
    desiredOf({}, { mesh: { provider: 'gateway-api' } }),
    seenOf({ pods: bare }),
  ),
  row(
    'WorkloadWithoutPods',
    'labels of no Pod',
    desiredOf({ workload: { labels: { app: 'wep' } } }),
    seenOf(),
    '/workload/labels',
  ),
  not('WorkloadWithoutPods', 'labels of Pods', desiredOf(WORKLOAD), seenOf()),
  not(
    'WorkloadWithoutPods',
    'Pods that were not listed',
    desiredOf({ workload: { labels: { app: 'wep' } } }),
    withoutPods(),
  ),
  row(
    'WorkloadDiffers',
    'fewer labels',
    desiredOf(WORKLOAD),
    seenOf({ kubeService: kubeService([], { app: 'web', tier: 'x' }) }),
    '/workload/labels',
  ),
  row(
    'WorkloadDiffers',
    'more labels',
    desiredOf({ workload: { labels: { app: 'web', tier: 'x' } } }),
    seenOf(),
    '/workload/labels',
  ),
  not('WorkloadDiffers', 'the same labels', desiredOf(WORKLOAD), seenOf()),
]

function withoutPods(): Seen {
  const { pods: _, ...seen } = seenOf()
  return seen
}

const both = {
  ports: [
    { name: 'http', port: 80, protocol: 'http' },
    { name: 'api', port: 81, protocol: 'http' },
  ],
}
const limited = {
  traffic: {
    routes: [
      { name: 'r0', match: [A], ports: ['http'] },
      { name: 'r1', match: [A] },
    ],
  },
}
const turned = {
  traffic: {
    routes: [
      { name: 'r0', match: [A] },
      { name: 'r1', match: [A], ports: ['api'] },
    ],
  },
}
const header = (match: Fields): Fields => ({ headers: { 'x-a': match } })
const ROUTE_ROWS: readonly Row[] = [
  row(
    'RouteNeverUsed',
    'a longer prefix behind',
    desiredOf(routes([A], [{ path: { prefix: '/a/b' } }])),
    seenOf(),
    '/traffic/routes/1',
  ),
  row(
    'RouteNeverUsed',
    'an exact path behind its pattern',
    desiredOf(routes([{ path: { regex: '/[ab]' } }], [{ path: { exact: '/a' } }])),
    seenOf(),
    '/traffic/routes/1',
  ),
  row(
    'RouteNeverUsed',
    'methods that two take together',
    desiredOf(routes([{ methods: ['GET'] }], [{ methods: ['POST'] }], [{ methods: ['GET', 'POST'] }])),
    seenOf(),
    '/traffic/routes/2',
  ),
  row(
    'RouteNeverUsed',
    'a header more',
    desiredOf(routes([header({ regex: 'a+' })], [{ ...header({ exact: 'aa' }), ...A }])),
    seenOf(),
    '/traffic/routes/1',
  ),
  row('RouteNeverUsed', 'one port of two', desiredOf({ ...both, ...turned }), seenOf(), '/traffic/routes/1'),
  row(
    'RouteNeverUsed',
    'in an override',
    desiredOf({ overrides: [{ clusters: ['east'], ...routes([A], [A]) }] }),
    seenOf(),
    '/overrides/0/traffic/routes/1',
  ),
  not('RouteNeverUsed', 'a shorter prefix behind', desiredOf(routes([{ path: { prefix: '/a/b' } }], [A])), seenOf()),
  not('RouteNeverUsed', '/ab, which is not within /a', desiredOf(routes([A], [{ path: { prefix: '/ab' } }])), seenOf()),
  not(
    'RouteNeverUsed',
    'another header',
    desiredOf(routes([header({ exact: 'a' })], [header({ exact: 'b' })])),
    seenOf(),
  ),
  not('RouteNeverUsed', 'a port that the first has not', desiredOf({ ...both, ...limited }), seenOf()),
  row(
    'RouteMatchNeverUsed',
    'one match of two',
    desiredOf(routes([A], [A, { path: { prefix: '/b' } }])),
    seenOf(),
    '/traffic/routes/1/match/0',
  ),
  not('RouteMatchNeverUsed', 'none', desiredOf(routes([A], [{ path: { prefix: '/b' } }])), seenOf()),
]

const bff = { serviceAccounts: ['front/bff'] }
const security = (fields: Fields): Fields => ({ ...WORKLOAD, security: fields })
const CALLER_ROWS: readonly Row[] = [
  row(
    'ServiceAccountMissing',
    'a name that is not there',
    desiredOf(security(allow(bff, { serviceAccounts: ['front/bfg'] }))),
    seenOf(),
    '/security/authorization/allow/1/serviceAccounts/0',
  ),
  row(
    'ServiceAccountMissing',
    "a version's own",
    desiredOf({ versions: { v1: { labels: { a: 'b' }, serviceAccount: 'no' } } }),
    seenOf(),
    '/versions/v1/serviceAccount',
  ),
  not('ServiceAccountMissing', 'one that is there', desiredOf(security(allow(bff))), seenOf()),
  not(
    'ServiceAccountMissing',
    'accounts that were not listed',
    desiredOf(security(allow({ serviceAccounts: ['front/no'] }))),
    withoutAccounts(),
  ),
  row(
    'CallerNamespaceMissing',
    'a namespace that is not there',
    desiredOf(security(allow({ namespaces: ['front', 'back'] }))),
    seenOf(),
    '/security/authorization/allow/0/namespaces/1',
  ),
  row(
    'CallerNamespaceMissing',
    'that of an account',
    desiredOf(security(allow({ serviceAccounts: ['back/x'] }))),
    seenOf(),
    '/security/authorization/allow/0/serviceAccounts/0',
  ),
  not('CallerNamespaceMissing', 'one that is there', desiredOf(security(allow({ namespaces: ['front'] }))), seenOf()),
  row(
    'CallerNeedsMtls',
    'permissive',
    desiredOf(security({ mtls: 'permissive', ...allow(bff) })),
    seenOf(),
    '/security/authorization/allow/0/serviceAccounts',
  ),
  row(
    'CallerNeedsMtls',
    'disabled by a shared policy',
    desiredOf(security(allow({ namespaces: ['front'] })), {}, [
      { from: 'policy all', policy: { security: { mtls: 'disabled' } } },
    ]),
    seenOf(),
    '/security/authorization/allow/0/namespaces',
  ),
  not('CallerNeedsMtls', 'strict', desiredOf(security({ mtls: 'strict', ...allow(bff) })), seenOf()),
  not(
    'CallerNeedsMtls',
    'a rule that asks no one',
    desiredOf(security({ mtls: 'permissive', ...allow({ methods: ['GET'] }) })),
    seenOf(),
  ),
]

function withoutAccounts(): Seen {
  const { serviceAccounts: _, ...seen } = seenOf()
  return seen
}

const RIVAL_ROWS: readonly Row[] = [
  row('HostClaimed', 'a VirtualService', desiredOf(), seenOf({ rivals: [rival('VirtualService')] })),
  not('HostClaimed', 'none', desiredOf(), seenOf()),
  row('DestinationRuleTwice', 'a DestinationRule', desiredOf(), seenOf({ rivals: [rival('DestinationRule')] })),
  not('DestinationRuleTwice', 'none', desiredOf(), seenOf()),
  row(
    'ClaimedByOthers',
    'an HTTPRoute',
    desiredOf(),
    seenOf({ rivals: [rival('HTTPRoute', 'gateway.networking.k8s.io/v1')] }),
  ),
  not('ClaimedByOthers', 'none', desiredOf(), seenOf()),
  row('NotSeen', 'a list that is forbidden', desiredOf(), seenOf({ unseen: ['Meshwright may not list Pods.'] })),
  not('NotSeen', 'all was seen', desiredOf(), seenOf()),
]

/** For each code of `lint` what finds it, and what comes near and does not. */
export const ROWS: readonly Row[] = [...PORT_ROWS, ...POD_ROWS, ...ROUTE_ROWS, ...CALLER_ROWS, ...RIVAL_ROWS]
