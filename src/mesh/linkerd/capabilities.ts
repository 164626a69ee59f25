import { type Capability, type CapabilityTable, conditional, never, notBuilt, SUPPORTED } from '../capability.ts'
import { FEATURES, type Feature } from '../features.ts'

const NO_LIMITS = never(
  'Linkerd limits neither connections nor requests that wait.',
  'Use outliers.consecutiveErrors, or a rate limit.',
)
const NO_FAULTS = never('Linkerd makes no faults.', 'Give a version that answers with errors a small weight.')
const NO_COPIES = never(
  'Linkerd copies no requests, and drops a route with a mirror that it calls accepted.',
  'Start with a small weight instead of a mirror.',
)
const NO_BALANCING = never('Linkerd balances by the latency of endpoints (EWMA) and nothing else.', 'Leave it out.')
const NO_AFFINITY = never('Linkerd keeps no client with an endpoint.', 'Let the application remember who gets what.')
const NO_TOKENS = never('Linkerd reads no tokens.', 'Check tokens in the application or at an ingress.')
const NO_PARTS = never(
  'Linkerd picks one route a request and asks for its rules alone, so rules for methods or paths that overlap would not add up.',
  'Use serviceAccounts, namespaces and ports.',
)
const NO_GATEWAY = never(
  'Linkerd has no gateway of its own.',
  'Mesh an ingress controller, and expose the service there.',
)
const NO_EGRESS = never(
  'An EgressNetwork holds for all Pods of a namespace, not for those of one service.',
  'Keep an EgressNetwork for the namespace yourself.',
)
const NO_TELEMETRY = never(
  "It is an annotation of the Pods, which are their Deployment's.",
  'Set it on the Pods, config.linkerd.io/access-log for instance.',
)
const RETRIES = conditional(
  'By answers alone: on must name gateway-error or 5xx, for gRPC its statuses, and for HTTP nonIdempotent must be true, for Linkerd tries every method again. Requests over 64 KiB are not tried again.',
)
const SERVER = conditional(
  'A Server of the policy decides at each port, in place of the annotations of Pods and namespace, also of stricter ones (deny, cluster-authenticated); one of others for the same Pods and port is a conflict. Each port needs its targetPort. AuthorizationPolicies of others for the namespace let in more, unseen.',
)

const TABLE: Readonly<Partial<Record<Feature, Capability>>> = {
  versions: conditional(
    'Each version has a Kubernetes Service, its own or one that Meshwright makes. Weights hold for callers in the mesh; others reach all versions.',
  ),
  'ports.http': SUPPORTED,
  'ports.http2': SUPPORTED,
  'ports.grpc': SUPPORTED,
  'ports.tcp': notBuilt('Routes for TCP are not written yet.', 'Leave TCP ports out of the service.'),
  hosts: never(
    'Linkerd routes by Kubernetes Services, not by further names.',
    "Call the service by its Service's name.",
  ),
  'traffic.weights': SUPPORTED,
  'traffic.timeout': SUPPORTED,
  'traffic.retries.attempts': RETRIES,
  'traffic.retries.perTryTimeout': RETRIES,
  'traffic.retries.on': RETRIES,
  'traffic.retries.nonIdempotent': RETRIES,
  'traffic.routes': conditional(
    'The closest match goes first, whatever the order: routes in another order are refused, never turned round.',
  ),
  'traffic.routes.match.path.exact': SUPPORTED,
  'traffic.routes.match.path.prefix': SUPPORTED,
  'traffic.routes.match.path.regex': conditional('Goes before prefixes, as an exact path does.'),
  'traffic.routes.match.methods': SUPPORTED,
  'traffic.routes.match.headers.exact': SUPPORTED,
  'traffic.routes.match.headers.prefix': SUPPORTED,
  'traffic.routes.match.headers.regex': SUPPORTED,
  'traffic.routes.match.cookie': SUPPORTED,
  'traffic.routes.match.query.exact': SUPPORTED,
  'traffic.routes.match.query.prefix': SUPPORTED,
  'traffic.routes.match.query.regex': SUPPORTED,
  'traffic.routes.redirect': conditional('For HTTP ports, with status 301 or 302.'),
  'traffic.routes.rewrite.path': never(
    'Linkerd drops a route that rewrites, and calls it accepted.',
    'Redirect, or let the application take both paths.',
  ),
  'traffic.routes.rewrite.host': never(
    'Linkerd drops a route that rewrites, and calls it accepted.',
    'Leave the host as it is.',
  ),
  'traffic.routes.timeout': conditional('For HTTP ports: on a GRPCRoute a timeout holds for all its rules.'),
  'traffic.routes.retries': never(
    'Retries are annotations of a whole route, not of one of its rules.',
    'Use traffic.retries.',
  ),
  'traffic.routes.fault': NO_FAULTS,
  'traffic.routes.mirror': NO_COPIES,
  'traffic.fault.delay': NO_FAULTS,
  'traffic.fault.abort': NO_FAULTS,
  'traffic.mirror': NO_COPIES,
  'traffic.connections.maxConnections': NO_LIMITS,
  'traffic.connections.connectTimeout': NO_LIMITS,
  'traffic.connections.maxPendingRequests': NO_LIMITS,
  'traffic.connections.maxRequests': NO_LIMITS,
  'traffic.connections.maxRequestsPerConnection': NO_LIMITS,
  'traffic.connections.idleTimeout': NO_LIMITS,
  'traffic.outliers.consecutiveErrors': conditional(
    'On Services that Meshwright makes. An endpoint stays out for ejectionTime (30s) and then twice as long each time, up to 5m; all endpoints may be out at once.',
  ),
  'traffic.outliers.interval': never('Linkerd counts every answer as it comes.', 'Leave it out.'),
  'traffic.outliers.ejectionTime': conditional('As outliers.consecutiveErrors.'),
  'traffic.outliers.maxEjectionPercent': never(
    'Linkerd knows no such bound: all endpoints may be out at once.',
    'Leave it out.',
  ),
  'traffic.loadBalancing.round-robin': NO_BALANCING,
  'traffic.loadBalancing.least-request': NO_BALANCING,
  'traffic.loadBalancing.random': NO_BALANCING,
  'traffic.affinity.header': NO_AFFINITY,
  'traffic.affinity.cookie': NO_AFFINITY,
  'traffic.affinity.query': NO_AFFINITY,
  'traffic.affinity.sourceIp': NO_AFFINITY,
  'traffic.locality': never(
    'Linkerd goes by the hints of topology aware routing.',
    'Set trafficDistribution on the Kubernetes Services.',
  ),
  'traffic.rateLimit': conditional(
    'Per second, with a burst of as many, for each Pod and port. It needs security.mtls or security.authorization, for it counts at a Server, which decides who is let in.',
  ),
  'security.mtls.strict': SERVER,
  'security.mtls.permissive': SERVER,
  'security.mtls.disabled': never(
    'Between Pods of the mesh Linkerd always uses mutual TLS.',
    'Use permissive, or take the Pods out of the mesh.',
  ),
  'security.authentication': NO_TOKENS,
  'security.authentication.required.false': NO_TOKENS,
  'security.authorization.allow': conditional(
    'A rule for any caller needs security.mtls, which says whether callers outside the mesh are meant.',
  ),
  'security.authorization.allow.serviceAccounts': SERVER,
  'security.authorization.allow.namespaces': SERVER,
  'security.authorization.allow.claims': NO_TOKENS,
  'security.authorization.allow.methods': NO_PARTS,
  'security.authorization.allow.paths': NO_PARTS,
  'security.authorization.allow.ports': SUPPORTED,
  'security.authorization.deny': never('Linkerd only allows.', 'Name in allow who may call.'),
  exposure: NO_GATEWAY,
  'exposure.tls': NO_GATEWAY,
  'exposure.redirectHttp': NO_GATEWAY,
  'egress.unlisted.allow': NO_EGRESS,
  'egress.unlisted.deny': NO_EGRESS,
  'egress.hosts': NO_EGRESS,
  'egress.hosts.originateTls': NO_EGRESS,
  'telemetry.accessLog': NO_TELEMETRY,
  'telemetry.tracing': NO_TELEMETRY,
  'rollouts.canary': SUPPORTED,
  'rollouts.match': conditional('Routes of the service whose order Linkerd would turn round are refused.'),
  'rollouts.mirror': NO_COPIES,
  'rollouts.affinity': never(
    'Linkerd keeps no client with a version.',
    'Let the application remember who gets what, or go without affinity.',
  ),
  'gates.errors': conditional(
    "The callers' proxies must be scraped: they count answers by route and backend (outbound_http_route_backend_response_statuses_total, and for gRPC its twin).",
  ),
  'gates.latency': conditional(
    'As gates.errors; overMs must be 25, 50, 100, 250, 500, 1000 or 10000: the proxies have no finer edges by version.',
  ),
}

/** What Linkerd takes, 2.18 to 2.20. */
export const LINKERD_CAPABILITIES = Object.fromEntries(
  FEATURES.map((feature) => [
    feature,
    TABLE[feature] ?? never(`Linkerd has no means for ${feature}.`, 'Leave it out.'),
  ]),
) as CapabilityTable
