import { type Capability, type CapabilityTable, conditional, never, notBuilt, SUPPORTED } from '../capability.ts'
import { FEATURES, type Feature } from '../features.ts'
import { NO_NAMESPACES } from './problem.ts'

const ALONE = 'Leave it out, or move the service to a cluster with Istio.'
const LIMITS = never(
  'Consul keeps limits with each caller, in its own ServiceDefaults (upstreamConfig), not with the service that is called.',
  'Set upstreamConfig.overrides in the ServiceDefaults of the callers.',
)
const NO_FAULT = never('Consul makes no faults on purpose.', ALONE)
const NO_MIRROR = never('Consul copies no requests.', 'Start with a small weight instead of a mirror.')
const EGRESS = notBuilt(
  'Meshwright writes no TerminatingGateway: one object there lists the hosts of all services.',
  'Register the host in Consul by ServiceDefaults with destination and a TerminatingGateway.',
)
const EXPOSURE = notBuilt(
  "Meshwright writes no routes for Consul's API gateway yet.",
  'Attach an HTTPRoute to the API gateway by hand.',
)
const MESH_WIDE = never(
  'Consul sets it for the whole mesh, in ProxyDefaults, not for one service.',
  'Set it in ProxyDefaults.',
)
const AUTHENTICATION = notBuilt(
  'Proxies of Consul fetch keys without checking the server unless they are told a CA file of their own image, and which that is was not verified; nor was how the Community Edition treats tokens.',
  'Check tokens in the application, or move the service to a cluster with Istio.',
)
const GATES = notBuilt(
  'The label by which Consul tells subsets apart in metrics was not seen on a live mesh.',
  'Use a gate of kind counts with use: consul-errors, consul-latency, consul-server-errors or consul-server-latency.',
)

const TABLE: Readonly<Record<Feature, Capability>> = {
  versions: conditional(
    'Pods bear the annotation consul.hashicorp.com/service-meta-version with the value of the label version; the name of the Kubernetes Service is that of the service in Consul. Weights hold for callers in the mesh.',
  ),
  'ports.http': SUPPORTED,
  'ports.http2': SUPPORTED,
  'ports.grpc': SUPPORTED,
  'ports.tcp': never('Consul splits http, http2 and grpc alone.', 'Leave the service to its Kubernetes Service.'),
  hosts: never(
    'A service in Consul answers to its own name alone.',
    'Callers use NAME.virtual.consul, or the Kubernetes Service.',
  ),
  'traffic.weights': SUPPORTED,
  'traffic.timeout': SUPPORTED,
  'traffic.retries.attempts': SUPPORTED,
  'traffic.retries.perTryTimeout': never('Consul bounds the whole request, not each try.', 'Use traffic.timeout.'),
  'traffic.retries.on': SUPPORTED,
  'traffic.retries.nonIdempotent': SUPPORTED,
  'traffic.routes': SUPPORTED,
  'traffic.routes.match.path.exact': SUPPORTED,
  'traffic.routes.match.path.prefix': SUPPORTED,
  'traffic.routes.match.path.regex': SUPPORTED,
  'traffic.routes.match.methods': SUPPORTED,
  'traffic.routes.match.headers.exact': SUPPORTED,
  'traffic.routes.match.headers.prefix': SUPPORTED,
  'traffic.routes.match.headers.regex': SUPPORTED,
  'traffic.routes.match.cookie': SUPPORTED,
  'traffic.routes.match.query.exact': SUPPORTED,
  'traffic.routes.match.query.prefix': SUPPORTED,
  'traffic.routes.match.query.regex': SUPPORTED,
  'traffic.routes.redirect': never(
    'A ServiceRouter redirects no callers.',
    'Let the application answer with the redirect.',
  ),
  'traffic.routes.rewrite.path': conditional('Each match names an exact path or a prefix.'),
  'traffic.routes.rewrite.host': never(
    'A ServiceRouter rewrites no host.',
    'Let the application take the host as it comes.',
  ),
  'traffic.routes.timeout': SUPPORTED,
  'traffic.routes.retries': conditional('Without perTryTimeout.'),
  'traffic.routes.fault': NO_FAULT,
  'traffic.routes.mirror': NO_MIRROR,
  'traffic.fault.delay': NO_FAULT,
  'traffic.fault.abort': NO_FAULT,
  'traffic.mirror': NO_MIRROR,
  'traffic.connections.maxConnections': LIMITS,
  'traffic.connections.connectTimeout': SUPPORTED,
  'traffic.connections.maxPendingRequests': LIMITS,
  'traffic.connections.maxRequests': LIMITS,
  'traffic.connections.maxRequestsPerConnection': never('Consul does not count requests by connection.', ALONE),
  'traffic.connections.idleTimeout': never(
    'Consul bounds idle streams of a route, not idle connections.',
    'Use traffic.timeout.',
  ),
  'traffic.outliers.consecutiveErrors': LIMITS,
  'traffic.outliers.interval': LIMITS,
  'traffic.outliers.ejectionTime': LIMITS,
  'traffic.outliers.maxEjectionPercent': LIMITS,
  'traffic.loadBalancing.round-robin': SUPPORTED,
  'traffic.loadBalancing.least-request': SUPPORTED,
  'traffic.loadBalancing.random': SUPPORTED,
  'traffic.affinity.header': SUPPORTED,
  'traffic.affinity.cookie': SUPPORTED,
  'traffic.affinity.query': SUPPORTED,
  'traffic.affinity.sourceIp': SUPPORTED,
  'traffic.locality': never(
    'Consul prefers localities in its Enterprise edition alone.',
    'Use trafficDistribution of the Kubernetes Service outside the mesh, or go without.',
  ),
  'traffic.rateLimit': never(
    'Consul limits rates in its Enterprise edition alone.',
    'Limit in the application, or move the service to a cluster with Istio.',
  ),
  'security.mtls.strict': SUPPORTED,
  'security.mtls.permissive': conditional(
    'The object Mesh must say allowEnablingPermissiveMutualTLS; else Consul refuses it, and the placement says so.',
  ),
  'security.mtls.disabled': never('Consul never goes without mutual TLS.', 'Use permissive.'),
  'security.authentication': AUTHENTICATION,
  'security.authentication.required.false': never(
    'In Consul a request without the token does not pass.',
    'Check tokens in the application.',
  ),
  'security.authorization.allow': SUPPORTED,
  'security.authorization.allow.serviceAccounts': conditional(
    'Consul knows callers by the names of their services: each service account must be named as its service, as consul-k8s wants it with ACLs on, and no other namespace may hold a service of that name.',
  ),
  'security.authorization.allow.namespaces': never(`Namespaces ${NO_NAMESPACES}.`, 'Name service accounts.'),
  'security.authorization.allow.claims': AUTHENTICATION,
  'security.authorization.allow.methods': SUPPORTED,
  'security.authorization.allow.paths': SUPPORTED,
  'security.authorization.allow.ports': SUPPORTED,
  'security.authorization.deny': conditional(
    'By service account (as for allow), method, path and port; not by namespace or claim. Without allow all others are let in, also where ACLs would refuse them.',
  ),
  exposure: EXPOSURE,
  'exposure.tls': EXPOSURE,
  'exposure.redirectHttp': EXPOSURE,
  'egress.unlisted.allow': never(
    'Consul decides for the whole mesh, in the object Mesh.',
    'Set transparentProxy.meshDestinationsOnly there.',
  ),
  'egress.unlisted.deny': never(
    'Consul decides for the whole mesh, in the object Mesh.',
    'Set transparentProxy.meshDestinationsOnly there.',
  ),
  'egress.hosts': EGRESS,
  'egress.hosts.originateTls': EGRESS,
  'telemetry.accessLog': MESH_WIDE,
  'telemetry.tracing': MESH_WIDE,
  'rollouts.canary': SUPPORTED,
  'rollouts.match': SUPPORTED,
  'rollouts.mirror': NO_MIRROR,
  'rollouts.affinity': conditional('Holds for clients that keep cookies and send them on; a gRPC client seldom does.'),
  'gates.errors': GATES,
  'gates.latency': GATES,
}

/** What Consul's Community Edition takes, in the order of features. */
export const CONSUL_CAPABILITIES = Object.fromEntries(
  FEATURES.map((feature) => [feature, TABLE[feature]]),
) as CapabilityTable
