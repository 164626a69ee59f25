import { type Capability, type CapabilityTable, conditional, never, SUPPORTED } from '../capability.ts'
import { FEATURES, type Feature } from '../features.ts'

const OUTSIDE = 'Routes hold at the Gateway; callers inside the cluster reach the Service itself, past them.'
const NO_REGEX =
  'Whether a regular expression or a prefix goes first is left to each controller, so the order of routes would be a guess.'
const MESH = 'Register the cluster with a mesh such as istio for it.'

/** What the Gateway API has no field for in the standard channel of any bundle up to 1.5. */
function missing(what: string, nearest = MESH): Capability {
  return never(`The Gateway API's standard channel has no ${what} up to bundle 1.5.`, nearest)
}

const MATCH_REGEX = conditional(
  'The controller must know regular expressions; one that does not refuses the route, which is then not live.',
)
const TIMEOUT = conditional(
  'For HTTP ports: a GRPCRoute has no timeouts. Application Gateway for Containers takes them from version 1.11 of its controller on.',
)
const MIRROR = conditional(
  'Part of the standard channel from bundle 1.3 on; Application Gateway for Containers takes it from version 1.12 of its controller on.',
  { gatewayApi: '1.3.0' },
)
const GATES = conditional(
  'Gateways of Istio (classes istio and approuting-istio) must be scraped: they count requests as reporter="source". Application Gateway for Containers counts nothing in Prometheus: use gates with from: platform or from: logs there.',
)

const TABLE: Readonly<Partial<Record<Feature, Capability>>> = {
  versions: conditional(`Each version has a Kubernetes Service, its own or one that Meshwright makes. ${OUTSIDE}`),
  'ports.http': SUPPORTED,
  'ports.http2': SUPPORTED,
  'ports.grpc': conditional('By GRPCRoute, under a host that no HTTPRoute of the same Gateway has.'),
  'ports.tcp': missing('TCPRoute', 'Leave TCP ports out of the service.'),
  hosts: never(
    'A Gateway routes for hosts that a service is exposed under; there are none inside the cluster.',
    'Use exposure.',
  ),
  'traffic.weights': SUPPORTED,
  'traffic.timeout': TIMEOUT,
  'traffic.retries.attempts': missing('retries (HTTPRoute retry becomes standard in 1.7)'),
  'traffic.retries.perTryTimeout': missing('retries'),
  'traffic.retries.on': missing('retries'),
  'traffic.retries.nonIdempotent': missing('retries'),
  'traffic.routes': conditional(
    'The closest match goes first, whatever the order: routes in another order are refused, never turned round.',
  ),
  'traffic.routes.match.path.exact': SUPPORTED,
  'traffic.routes.match.path.prefix': SUPPORTED,
  'traffic.routes.match.path.regex': never(NO_REGEX, 'Use exact paths or prefixes.'),
  'traffic.routes.match.methods': conditional('For HTTP ports.'),
  'traffic.routes.match.headers.exact': SUPPORTED,
  'traffic.routes.match.headers.prefix': MATCH_REGEX,
  'traffic.routes.match.headers.regex': MATCH_REGEX,
  'traffic.routes.match.cookie': MATCH_REGEX,
  'traffic.routes.match.query.exact': conditional('For HTTP ports.'),
  'traffic.routes.match.query.prefix': MATCH_REGEX,
  'traffic.routes.match.query.regex': MATCH_REGEX,
  'traffic.routes.redirect': conditional('For HTTP ports; status 303, 307 and 308 from bundle 1.5 on.'),
  'traffic.routes.rewrite.path': conditional('For HTTP ports.'),
  'traffic.routes.rewrite.host': conditional('For HTTP ports.'),
  'traffic.routes.timeout': TIMEOUT,
  'traffic.routes.retries': missing('retries'),
  'traffic.routes.fault': missing('fault injection'),
  'traffic.routes.mirror': MIRROR,
  'traffic.fault.delay': missing('fault injection'),
  'traffic.fault.abort': missing('fault injection'),
  'traffic.mirror': MIRROR,
  'traffic.connections.maxConnections': missing('connection limits'),
  'traffic.connections.connectTimeout': missing('connection settings'),
  'traffic.connections.maxPendingRequests': missing('connection limits'),
  'traffic.connections.maxRequests': missing('connection limits'),
  'traffic.connections.maxRequestsPerConnection': missing('connection limits'),
  'traffic.connections.idleTimeout': missing('connection settings'),
  'traffic.outliers.consecutiveErrors': missing('outlier ejection', "Let the Pods' readiness probes fail."),
  'traffic.outliers.interval': missing('outlier ejection', "Let the Pods' readiness probes fail."),
  'traffic.outliers.ejectionTime': missing('outlier ejection', "Let the Pods' readiness probes fail."),
  'traffic.outliers.maxEjectionPercent': missing('outlier ejection', "Let the Pods' readiness probes fail."),
  'traffic.loadBalancing.round-robin': missing('choice of load balancing'),
  'traffic.loadBalancing.least-request': missing('choice of load balancing'),
  'traffic.loadBalancing.random': missing('choice of load balancing'),
  'traffic.affinity.header': missing('session persistence'),
  'traffic.affinity.cookie': missing('session persistence'),
  'traffic.affinity.query': missing('session persistence'),
  'traffic.affinity.sourceIp': missing('session persistence'),
  'traffic.locality': missing('locality', 'Set trafficDistribution on the Kubernetes Services.'),
  'traffic.rateLimit': missing('rate limits'),
  'security.mtls.strict': missing('mTLS between workloads'),
  'security.mtls.permissive': missing('mTLS between workloads'),
  'security.mtls.disabled': missing('mTLS between workloads'),
  'security.authentication': missing('JWT authentication'),
  'security.authentication.required.false': missing('JWT authentication'),
  'security.authorization.allow': missing('authorization', 'Use a NetworkPolicy, or a mesh.'),
  'security.authorization.allow.serviceAccounts': missing('authorization', 'Use a NetworkPolicy, or a mesh.'),
  'security.authorization.allow.namespaces': missing('authorization', 'Use a NetworkPolicy, or a mesh.'),
  'security.authorization.allow.claims': missing('authorization', 'Use a NetworkPolicy, or a mesh.'),
  'security.authorization.allow.methods': missing('authorization', 'Use a NetworkPolicy, or a mesh.'),
  'security.authorization.allow.paths': missing('authorization', 'Use a NetworkPolicy, or a mesh.'),
  'security.authorization.allow.ports': missing('authorization', 'Use a NetworkPolicy, or a mesh.'),
  'security.authorization.deny': missing('authorization', 'Use a NetworkPolicy, or a mesh.'),
  exposure: conditional(
    'The cluster names the Gateway in mesh.gateways; its listeners decide between HTTP and HTTPS. Which of several services owns a part of a path is decided by the longer prefix.',
  ),
  'exposure.tls': never(
    'Certificates belong to the listeners of the Gateway, and those to its owner.',
    'Name the certificate on an HTTPS listener of the Gateway, and leave tls out here.',
  ),
  'exposure.redirectHttp': never(
    'It needs tls, which belongs to the owner of the Gateway.',
    'Let a route on the HTTP listener of the Gateway redirect.',
  ),
  'egress.unlisted.allow': missing('egress'),
  'egress.unlisted.deny': missing('egress'),
  'egress.hosts': missing('egress'),
  'egress.hosts.originateTls': missing('egress'),
  'telemetry.accessLog': missing('telemetry', 'Set it on the Gateway.'),
  'telemetry.tracing': missing('telemetry', 'Set it on the Gateway.'),
  'rollouts.canary': SUPPORTED,
  'rollouts.match': conditional(
    'No regular expressions for paths. The candidate of a match goes before the routes of the service.',
  ),
  'rollouts.mirror': MIRROR,
  'rollouts.affinity': missing(
    'session persistence',
    'Let the application remember who gets what, or go without affinity.',
  ),
  'gates.errors': GATES,
  'gates.latency': conditional('As gates.errors; overMs must be an edge of istio_request_duration_milliseconds.'),
}

/** What the Gateway API takes at a Gateway: class istio, app routing, Application Gateway for Containers. */
export const GATEWAY_API_CAPABILITIES = Object.fromEntries(
  FEATURES.map((feature) => [feature, TABLE[feature] ?? missing(feature)]),
) as CapabilityTable
