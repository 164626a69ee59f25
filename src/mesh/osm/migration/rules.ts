import type { Severity } from '../../lint/codes.ts'
import type { Finding } from '../../lint/finding.ts'

interface MigrationRule {
  readonly severity: Severity
  readonly what: string
  readonly fix: string
}

const rule = (severity: Severity, what: string, fix: string): MigrationRule => ({ severity, what, fix })

/**
 * What a migration from Open Service Mesh may find. `error`: someone who may call now may not afterwards, or something that
 * is guarded now would not be. Codes are part of the API: add, never rename.
 */
export const MIGRATION_RULES = {
  NotSeen: rule(
    'error',
    'objects could not be read',
    'Give Meshwright the right to list them; GET /clusters/{cluster}/access names it.',
  ),
  PathNotSayable: rule(
    'error',
    'no mesh policy says the pathRegex of a match: the match is left out',
    'Name in "replace" the paths that callers use, or change pathRegex to whole paths and prefixes.',
  ),
  PathNarrowed: rule(
    'info',
    'a "." in a pathRegex means any character: it is carried as a dot',
    'Nothing, when a dot was meant.',
  ),
  HeadersNotSayable: rule(
    'error',
    'a match asks for headers, which rules of a service do not: the match is left out',
    'Name the match in "replace" with "withoutHeaders": true, if service account, method and path are enough.',
  ),
  HeadersDropped: rule(
    'warning',
    'a match asks for headers, and "replace" lets them go unasked: its callers get in whatever they send',
    'Take "withoutHeaders" out of "replace" if the headers guard something.',
  ),
  NoSources: rule(
    'error',
    'a TrafficTarget without sources, by which all of the mesh may call: nobody may by it afterwards',
    'Name the sources.',
  ),
  ReplacementRefused: rule(
    'error',
    'a path of "replace" is not surely within the pathRegex',
    'Name whole paths that the pathRegex matches; a prefix only where the pathRegex ends in ".*".',
  ),
  AccessDiffers: rule(
    'error',
    'the Pods of a service run under service accounts that let in different callers: what only some let in is left out',
    'Give the accounts the same TrafficTargets, or give each its own Service.',
  ),
  TooMuch: rule('error', 'more than a service can hold', 'Merge rules or ports, or divide the service.'),
  NameNotSayable: rule('error', 'a name or label that cannot be registered', 'Rename it before the migration.'),
  PortUnknown: rule(
    'error',
    'the number of a named target port cannot be told, so the port is left out',
    'Give targetPort as a number, or name the port alike in all Pods.',
  ),
  PortNotServed: rule(
    'warning',
    'the mesh serves no port of this protocol: it is left out',
    'Set appProtocol to http, grpc or tcp if it is to be served.',
  ),
  ServiceWithoutSelector: rule(
    'warning',
    'a Service without a selector has no Pods of its own: it is not registered',
    'Register it by hand where it is wanted.',
  ),
  ServiceWithoutPods: rule(
    'warning',
    'no Pod and no Deployment bears the labels of a Service: it is not registered',
    'Deploy its Pods, and look again.',
  ),
  NotInMesh: rule(
    'info',
    'the Pods of a Service have no proxy of the mesh: it is not registered',
    'Leave them out of the mesh, or register the Service by hand.',
  ),
  PodsWithoutProxy: rule(
    'warning',
    'some Pods of a Service have no proxy: anybody reaches them now',
    'Restart them, so that they get one.',
  ),
  PodsWithoutService: rule(
    'error',
    'Pods that no registered service stands for: nobody reaches them through their proxy now, and no rule will guard them',
    'Apply the baseline of the answer to their namespace, or make a Service for them.',
  ),
  NotInForce: rule(
    'info',
    'an object that the mesh does not look at',
    'Remove it, or correct it before the migration.',
  ),
  SplitTwice: rule(
    'error',
    'two TrafficSplits are for one Service: the mesh takes any, and the first by name is carried',
    'Remove one.',
  ),
  SplitWithoutRoot: rule('error', 'the Service of a TrafficSplit is not there', 'Create it, selecting all versions.'),
  BackendMissing: rule(
    'warning',
    'a backend of a TrafficSplit is not there: the others have its share',
    'Take it out of the split.',
  ),
  BackendOverlaps: rule(
    'error',
    'a backend selects Pods of another, so they are no versions: it is left out of the split',
    'Give the Pods of each version a label of their own, and select by it.',
  ),
  RootMissesVersion: rule(
    'error',
    "the TrafficSplit's Service does not select the Pods of a backend: it is left out of the split, and a service of its own",
    'Give the Pods of all versions a label in common, and let the Service select by it alone.',
  ),
  PortNotCarried: rule(
    'error',
    "a backend of a TrafficSplit serves a port that the split's Service does not: nobody gets in there any more",
    'Give the Service of the split the same port.',
  ),
  WeightsRounded: rule('info', 'weights became whole per cents', 'Nothing, when that is near enough.'),
  IngressNotCarried: rule(
    'error',
    'an IngressBackend lets callers without the mesh in: that is not carried',
    "Expose the service on a gateway of the target (exposure), and allow the gateway's service account.",
  ),
  LimitNotCarried: rule(
    'warning',
    'a limit is not carried',
    'Set traffic.connections of the service, or traffic.rateLimit where the cluster says mesh.envoyFilters.',
  ),
  RetryForAll: rule(
    'info',
    'retries of some callers will be made for all callers of the service',
    'Remove traffic.retries from the service if that does harm.',
  ),
  RetryNotCarried: rule('warning', 'retries are not carried', 'Set traffic.retries of the service.'),
  EgressNotCarried: rule(
    'error',
    'hosts outside that may be reached now could not be afterwards',
    'Set egress.hosts of the service: all Pods of the namespace may reach them then.',
  ),
  EgressOpen: rule(
    'error',
    'Pods that no registered service stands for: nothing will bound what they reach outside',
    'Set outboundTrafficPolicy of the mesh to REGISTRY_ONLY, or make a Service for them.',
  ),
  ExternalAuthorization: rule(
    'error',
    'the mesh asks an outside server whom it lets in: that is not carried',
    'Set up an extension provider of Istio with a CUSTOM policy first.',
  ),
  PortsExcluded: rule(
    'info',
    'ports that go around the proxy of the mesh now',
    'Set traffic.sidecar.istio.io/excludeInboundPorts on the Pods if that is still wanted.',
  ),
  AlreadyRegistered: rule(
    'error',
    'a service of this name is registered already: it stays as it is',
    'Name it in "overwrite" to replace what is registered, or change it yourself.',
  ),
  TeamMissing: rule(
    'error',
    'no one team owns the namespace',
    'PUT /teams/{team} with the namespace, or name the team in "team".',
  ),
  Refused: rule('error', 'the service would be refused as it is', 'Correct what the message names.'),
  PlainCallers: rule(
    'error',
    'requests without mutual TLS are seen where it is to be strict: they would be refused',
    'Bring the callers into the mesh first. Accepted by name, the services get "waive": ["PlainCallers"].',
  ),
  PlainCallersUnknown: rule(
    'warning',
    'whether callers without mutual TLS would be refused is not known',
    'Name the metrics of the target, or look yourself who calls.',
  ),
  TargetObserves: rule(
    'warning',
    'the target is in observe: nothing will be written there',
    'PATCH the target with { "mode": "manage" } once GET /clusters/{cluster}/plan says what you want.',
  ),
  BothMeshes: rule(
    'error',
    'the controller of Open Service Mesh is still there',
    'Disable the add-on (az aks disable-addons --addons open-service-mesh), and restart the Pods.',
  ),
  PodsNotRestarted: rule(
    'error',
    'Pods of the services have no proxy of Istio: nobody would get in any more, for they cannot take mutual TLS',
    'Label their namespaces with istio.io/rev, and restart them.',
  ),
} as const satisfies Readonly<Record<string, MigrationRule>>
export type MigrationCode = keyof typeof MIGRATION_RULES

/** Something that is not carried as it is, with the words of the table. */
export function found(
  code: MigrationCode,
  object: string,
  message: string,
  more: { readonly field?: string; readonly fix?: string } = {},
): Finding {
  const { severity, fix } = MIGRATION_RULES[code]
  const { field } = more
  return { code, severity, object, ...(field === undefined ? {} : { field }), message, fix: more.fix ?? fix }
}
