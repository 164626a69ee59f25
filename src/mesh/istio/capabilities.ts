import { type Capability, type CapabilityTable, conditional, notBuilt, SUPPORTED } from '../capability.ts'
import { FEATURES, type Feature } from '../features.ts'

const ROUTE_FEATURES = [
  'traffic.routes',
  'traffic.routes.match.path.exact',
  'traffic.routes.match.path.prefix',
  'traffic.routes.match.path.regex',
  'traffic.routes.match.methods',
  'traffic.routes.match.headers.exact',
  'traffic.routes.match.headers.prefix',
  'traffic.routes.match.headers.regex',
  'traffic.routes.match.cookie',
  'traffic.routes.match.query.exact',
  'traffic.routes.match.query.prefix',
  'traffic.routes.match.query.regex',
  'traffic.routes.redirect',
  'traffic.routes.rewrite.path',
  'traffic.routes.rewrite.host',
  'traffic.routes.timeout',
  'traffic.routes.retries',
] as const satisfies readonly Feature[]

const POOL_FEATURES = [
  'traffic.connections.maxConnections',
  'traffic.connections.connectTimeout',
  'traffic.connections.maxPendingRequests',
  'traffic.connections.maxRequests',
  'traffic.connections.maxRequestsPerConnection',
] as const satisfies readonly Feature[]

const FAULT = conditional(
  'Made by proxies of callers. Not beside a timeout or retries on the same route: Istio drops those.',
)
const COPIES = conditional(
  'The version sees copies with "-shadow" at the end of the host name; what it writes is written twice.',
)
const POOL = conditional("Counted by each caller's proxy by itself, for each version.")
const OUTLIERS = conditional("Each caller's proxy leaves out what it saw failing by itself.")
const HASH = conditional('Holds within a version while its Pods stay the same: a change of weights moves callers.')
const CALLERS = conditional('Callers must come by mutual TLS; in plain text they fit no such rule.')
const PATHS =
  "How paths are normalized before they are matched is the mesh's setting; by default Istio does not merge slashes."
const SIDECAR_SCOPE = conditional('Takes the place of a Sidecar for the namespace.')

const BUILT: Readonly<Partial<Record<Feature, Capability>>> = {
  versions: {
    support: 'conditional',
    condition: 'Weights hold for callers with a sidecar; callers outside the mesh reach all versions.',
  },
  'ports.http': SUPPORTED,
  'ports.http2': SUPPORTED,
  'ports.grpc': SUPPORTED,
  'ports.tcp': conditional('Weights divide connections. What is asked of requests holds for the other ports.'),
  hosts: { support: 'conditional', condition: 'Callers must be able to resolve the name; Meshwright sets no DNS.' },
  'traffic.weights': SUPPORTED,
  'traffic.timeout': SUPPORTED,
  'traffic.retries.attempts': SUPPORTED,
  'traffic.retries.perTryTimeout': SUPPORTED,
  'traffic.retries.on': SUPPORTED,
  'traffic.retries.nonIdempotent': conditional(
    'HTTP: POST, PATCH and CONNECT have routes of their own unless it is true. gRPC: all calls are POST, so "on" counts for all of them.',
  ),
  ...Object.fromEntries(ROUTE_FEATURES.map((feature) => [feature, SUPPORTED])),
  'traffic.routes.fault': FAULT,
  'traffic.routes.mirror': COPIES,
  'traffic.fault.delay': FAULT,
  'traffic.fault.abort': FAULT,
  'traffic.mirror': COPIES,
  ...Object.fromEntries(POOL_FEATURES.map((feature) => [feature, POOL])),
  'traffic.connections.idleTimeout': conditional('For HTTP ports without a request, for TCP ports without a byte.'),
  'traffic.outliers.consecutiveErrors': OUTLIERS,
  'traffic.outliers.interval': OUTLIERS,
  'traffic.outliers.ejectionTime': OUTLIERS,
  'traffic.outliers.maxEjectionPercent': conditional(
    'As consecutiveErrors, of the endpoints of one version. Of nine or fewer, 10 leaves out none.',
  ),
  'traffic.loadBalancing.round-robin': SUPPORTED,
  'traffic.loadBalancing.least-request': SUPPORTED,
  'traffic.loadBalancing.random': SUPPORTED,
  'traffic.affinity.header': HASH,
  'traffic.affinity.cookie': HASH,
  'traffic.affinity.query': HASH,
  'traffic.affinity.sourceIp': conditional(
    "By the caller's Pod, for requests inside the mesh. Holds within a version: a change of weights moves callers.",
  ),
  'traffic.locality': conditional(
    'Nodes must carry the labels topology.kubernetes.io/region and …/zone; needs outliers.',
  ),
  'traffic.rateLimit': conditional(
    'By an EnvoyFilter, which AKS does not support: the cluster must say mesh.envoyFilters. For each HTTP port of a Pod, whose targetPort must be a number; without mtls strict, plain requests and those by mutual TLS are counted apart. What authorization refuses is not counted. A burst is no lower than requests.',
    { envoyFilters: true },
  ),
  'security.mtls.strict': conditional('Callers without a sidecar are refused from then on.'),
  'security.mtls.permissive': SUPPORTED,
  'security.mtls.disabled': conditional('Callers send plain text, and rules by caller cannot hold.'),
  'security.authentication': conditional(
    "istiod fetches the issuer's keys: their host must be public and reachable for it.",
  ),
  'security.authentication.required.false': SUPPORTED,
  'security.authorization.allow': conditional(
    'Other AuthorizationPolicies for the same Pods, of the namespace too, let in whom they let in.',
  ),
  'security.authorization.allow.serviceAccounts': CALLERS,
  'security.authorization.allow.namespaces': CALLERS,
  'security.authorization.allow.claims': conditional(
    'Claims that are texts or lists of texts. "scp" is read word by word and needs Istio 1.28 or newer.',
  ),
  'security.authorization.allow.methods': SUPPORTED,
  'security.authorization.allow.paths': conditional(PATHS),
  'security.authorization.allow.ports': conditional('The ports must say their targetPort as a number.'),
  'security.authorization.deny': conditional(
    `A rule by caller knows those alone who come by mutual TLS: with mtls strict nobody else comes. Ports as in allow. Prefer allow to a deny by paths, which lets pass what it does not recognize. ${PATHS}`,
  ),
  'egress.unlisted.allow': SIDECAR_SCOPE,
  'egress.unlisted.deny': conditional(
    "Callers' proxies keep it, so a program that goes around its proxy is not held. Takes the place of a Sidecar for the namespace.",
  ),
  'egress.hosts': conditional('Known to all Pods of the namespace. No plain TCP: Istio knows that by address alone.'),
  'egress.hosts.originateTls': conditional(
    'For all Pods of the namespace. Port 80 goes to 443, others to themselves. Checked by the CAs that the proxy has.',
  ),
  'telemetry.accessLog': conditional("To the proxies' standard output (provider envoy)."),
  'telemetry.tracing': conditional('The mesh must have a tracing provider.'),
  exposure: conditional(
    "The gateway must be the add-on's external or internal, or stand in mesh.gateways of the cluster.",
  ),
  'exposure.tls': conditional('The certificate must be brought to the namespace of the gateway, and cover the host.'),
  'exposure.redirectHttp': SUPPORTED,
  'rollouts.canary': SUPPORTED,
  'rollouts.match': SUPPORTED,
  'rollouts.mirror': {
    support: 'conditional',
    condition: 'The candidate sees copies with "-shadow" at the end of the host name; what it writes is written twice.',
  },
  'rollouts.affinity': {
    support: 'conditional',
    condition: 'Holds for clients that keep cookies and send them on; a gRPC client seldom does.',
  },
  'gates.errors': {
    support: 'conditional',
    condition: 'Istio telemetry of the destination must reach the metrics source of the cluster.',
  },
  'gates.latency': {
    support: 'conditional',
    condition: 'As gates.errors; overMs must be an edge of the histogram istio_request_duration_milliseconds.',
  },
}

const LATER = notBuilt('The renderer for Istio does not write this yet; it comes later.', 'Leave it out for now.')

/** What Istio with sidecars takes: the AKS add-on and upstream. */
export const ISTIO_CAPABILITIES = Object.fromEntries(
  FEATURES.map((feature) => [feature, BUILT[feature] ?? LATER]),
) as CapabilityTable
