import { type Capability, type CapabilityTable, conditional, never, notBuilt, SUPPORTED } from '../capability.ts'
import { FEATURES, type Feature } from '../features.ts'

const TO_ISTIO = 'Move the service to Istio: Azure ends Open Service Mesh on 2027-09-30.'
const BY_WEIGHT = never('Open Service Mesh splits by weight alone.', `Use weights. Or: ${TO_ISTIO}`)
const NO_TIMEOUT = never('Open Service Mesh bounds no requests.', `Bound them in the callers. Or: ${TO_ISTIO}`)
const NO_RETRY = never(
  'Open Service Mesh keeps retries by the service account of each caller, not with the service that is called.',
  'Make an object Retry for each caller by hand, with featureFlags.enableRetryPolicy on.',
)
const NO_FAULT = never('Open Service Mesh makes no faults on purpose.', TO_ISTIO)
const NO_MIRROR = never('Open Service Mesh copies no requests.', 'Start with a small weight instead of a mirror.')
const NO_OUTLIERS = never('Open Service Mesh leaves no endpoint out for its errors.', TO_ISTIO)
const NO_BALANCING = never('The load balancing of Open Service Mesh cannot be chosen.', TO_ISTIO)
const NO_AFFINITY = never('Open Service Mesh keeps no client with a Pod.', TO_ISTIO)
const NO_TOKENS = never('Open Service Mesh checks no tokens.', TO_ISTIO)
const NO_GATEWAY = never(
  'Open Service Mesh has no gateway of its own, and whose IngressBackend would let requests in is not known.',
  'Keep the ingress and its IngressBackend by hand.',
)
const MESH_WIDE = never('Open Service Mesh decides that for the whole mesh, in MeshConfig.', 'Set it there.')
const GATES = notBuilt(
  'What Open Service Mesh counts names workloads and not services or versions, and writes "_" for "-" and ".", so names can fall together.',
  'Use a gate of kind counts with use: osm-errors or osm-latency.',
)
const LIMIT = conditional('For each version by itself, from each caller’s proxy.')

const TABLE: Readonly<Record<Feature, Capability>> = {
  versions: conditional(
    'Azure ends the add-on on 2027-09-30: move to Istio before. Each version has a Kubernetes Service of its own; the service’s Service must be there and select all versions or none. Weights hold for callers in the mesh that call the service’s own host.',
  ),
  'ports.http': SUPPORTED,
  'ports.http2': never('Open Service Mesh knows http, grpc and tcp.', 'Call the port http or grpc.'),
  'ports.grpc': SUPPORTED,
  'ports.tcp': conditional(
    'Without authorization. Where the server speaks first, name Services for the versions that say appProtocol tcp-server-first.',
  ),
  hosts: never('Open Service Mesh knows a service by the hosts of its Kubernetes Service alone.', TO_ISTIO),
  'traffic.weights': SUPPORTED,
  'traffic.timeout': NO_TIMEOUT,
  'traffic.retries.attempts': NO_RETRY,
  'traffic.retries.perTryTimeout': NO_RETRY,
  'traffic.retries.on': NO_RETRY,
  'traffic.retries.nonIdempotent': NO_RETRY,
  'traffic.routes': BY_WEIGHT,
  'traffic.routes.match.path.exact': BY_WEIGHT,
  'traffic.routes.match.path.prefix': BY_WEIGHT,
  'traffic.routes.match.path.regex': BY_WEIGHT,
  'traffic.routes.match.methods': BY_WEIGHT,
  'traffic.routes.match.headers.exact': BY_WEIGHT,
  'traffic.routes.match.headers.prefix': BY_WEIGHT,
  'traffic.routes.match.headers.regex': BY_WEIGHT,
  'traffic.routes.match.cookie': BY_WEIGHT,
  'traffic.routes.match.query.exact': BY_WEIGHT,
  'traffic.routes.match.query.prefix': BY_WEIGHT,
  'traffic.routes.match.query.regex': BY_WEIGHT,
  'traffic.routes.redirect': BY_WEIGHT,
  'traffic.routes.rewrite.path': BY_WEIGHT,
  'traffic.routes.rewrite.host': BY_WEIGHT,
  'traffic.routes.timeout': NO_TIMEOUT,
  'traffic.routes.retries': NO_RETRY,
  'traffic.routes.fault': NO_FAULT,
  'traffic.routes.mirror': NO_MIRROR,
  'traffic.fault.delay': NO_FAULT,
  'traffic.fault.abort': NO_FAULT,
  'traffic.mirror': NO_MIRROR,
  'traffic.connections.maxConnections': LIMIT,
  'traffic.connections.connectTimeout': LIMIT,
  'traffic.connections.maxPendingRequests': LIMIT,
  'traffic.connections.maxRequests': LIMIT,
  'traffic.connections.maxRequestsPerConnection': LIMIT,
  'traffic.connections.idleTimeout': never('Open Service Mesh bounds no idle connections.', TO_ISTIO),
  'traffic.outliers.consecutiveErrors': NO_OUTLIERS,
  'traffic.outliers.interval': NO_OUTLIERS,
  'traffic.outliers.ejectionTime': NO_OUTLIERS,
  'traffic.outliers.maxEjectionPercent': NO_OUTLIERS,
  'traffic.loadBalancing.round-robin': NO_BALANCING,
  'traffic.loadBalancing.least-request': NO_BALANCING,
  'traffic.loadBalancing.random': NO_BALANCING,
  'traffic.affinity.header': NO_AFFINITY,
  'traffic.affinity.cookie': NO_AFFINITY,
  'traffic.affinity.query': NO_AFFINITY,
  'traffic.affinity.sourceIp': NO_AFFINITY,
  'traffic.locality': never('Open Service Mesh knows no localities.', TO_ISTIO),
  'traffic.rateLimit': conditional(
    'For requests to the service’s own host, of a service with one port; a burst is no lower than requests.',
  ),
  'security.mtls.strict': conditional('Always so between Pods of the mesh; others get in by IngressBackend alone.'),
  'security.mtls.permissive': never('Pods of Open Service Mesh take mutual TLS alone.', 'Use strict.'),
  'security.mtls.disabled': never('Pods of Open Service Mesh take mutual TLS alone.', 'Use strict.'),
  'security.authentication': NO_TOKENS,
  'security.authentication.required.false': NO_TOKENS,
  'security.authorization.allow': conditional(
    'The permissive traffic policy mode of the mesh is off and was seen to be (list of meshconfigs), each rule names service accounts, and each version its serviceAccount. What else runs under that account can be called too.',
  ),
  'security.authorization.allow.serviceAccounts': SUPPORTED,
  'security.authorization.allow.namespaces': never('SMI names callers by service account.', 'Name service accounts.'),
  'security.authorization.allow.claims': NO_TOKENS,
  'security.authorization.allow.methods': SUPPORTED,
  'security.authorization.allow.paths': SUPPORTED,
  'security.authorization.allow.ports': never('SMI allows HTTP requests on all ports of a Pod.', 'Leave ports out.'),
  'security.authorization.deny': never('SMI can only allow.', 'Say in allow who may call.'),
  exposure: NO_GATEWAY,
  'exposure.tls': NO_GATEWAY,
  'exposure.redirectHttp': NO_GATEWAY,
  'egress.unlisted.allow': MESH_WIDE,
  'egress.unlisted.deny': MESH_WIDE,
  'egress.hosts': conditional(
    'One host by http or https; each version names its serviceAccount. In MeshConfig, traffic.enableEgress is off (else everything may be reached) and featureFlags.enableEgressPolicy is on.',
  ),
  'egress.hosts.originateTls': never('Open Service Mesh begins no TLS of its own to hosts outside.', TO_ISTIO),
  'telemetry.accessLog': MESH_WIDE,
  'telemetry.tracing': MESH_WIDE,
  'rollouts.canary': conditional('Azure ends the add-on on 2027-09-30: move to Istio before.'),
  'rollouts.match': BY_WEIGHT,
  'rollouts.mirror': NO_MIRROR,
  'rollouts.affinity': never(
    'Open Service Mesh keeps no client with a version.',
    'Let the application remember who gets what, or go without affinity.',
  ),
  'gates.errors': GATES,
  'gates.latency': GATES,
}

/** What Open Service Mesh 1.2 takes, as AKS ships it, in the order of features. */
export const OSM_CAPABILITIES = Object.fromEntries(
  FEATURES.map((feature) => [feature, TABLE[feature]]),
) as CapabilityTable
