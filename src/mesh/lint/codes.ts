/** How bad a finding is: `error` would not work, `warning` may not do what is meant, `info` is good to know. */
export const SEVERITIES = ['info', 'warning', 'error'] as const
export type Severity = (typeof SEVERITIES)[number]

export interface LintRule {
  readonly severity: Severity
  /** Codes of `istioctl analyze` (IST) and Kiali (KIA) for the same check. */
  readonly same: readonly string[]
  /** What is wrong, in a few words. */
  readonly words: string
  readonly fix: string
}

const rule = (severity: Severity, words: string, fix: string, ...same: readonly string[]): LintRule => {
  return { severity, same, words, fix }
}

/** Every code that a plan gives of itself; those of releases by image come with words of their own. docs/lint.md shows the same. */
export const LINT_RULES = {
  NotPlanned: rule(
    'error',
    'the plan could not be made: nothing was checked',
    'Mend what the message names, then plan again.',
  ),
  Rejected: rule('error', 'the server refuses an object', 'Correct the field that the server names.'),
  FieldConflict: rule(
    'error',
    'another manager holds a field',
    'Remove the other manager of the field, or set "adopt": true.',
  ),
  Denied: rule(
    'error',
    'Meshwright may not write an object',
    'Give Meshwright the right; GET /clusters/{cluster}/access lists what is missing.',
  ),
  KindMissing: rule('error', 'the server does not know a kind', "Install the mesh's CRDs on the cluster."),
  MeshRetires: rule('warning', "the mesh's maker ends it", 'Move to another mesh before.'),
  NamespaceMissing: rule('error', 'there is no such namespace', 'Create the namespace first.'),
  ServiceMissing: rule(
    'error',
    'there is no Kubernetes Service',
    'Deploy the Service first.',
    'IST0101',
    'IST0174',
    'KIA0202',
    'KIA1101',
  ),
  PortMissing: rule('error', 'the Kubernetes Service lacks a port', 'Name a port of the Service, or add it there.'),
  PortProtocolDiffers: rule(
    'error',
    'Istio takes a port for TCP that is registered for HTTP, or the other way round',
    'Correct the protocol, or the appProtocol of the Service.',
  ),
  PortNameUnclear: rule(
    'info',
    'neither name nor appProtocol of a port tells Istio what it speaks',
    'Set appProtocol on the Service, or begin the name with the protocol, as in "http-web".',
    'IST0118',
    'KIA0601',
  ),
  PortsUnregistered: rule(
    'info',
    'the Kubernetes Service has more ports than the service',
    'Register them too, so that each port has routes of its own.',
    'IST0112',
  ),
  TargetPortDiffers: rule(
    'warning',
    'targetPort is not that of the Kubernetes Service',
    'Give the number that the Service has: rules by port ask for the port of the Pods.',
  ),
  SelectorExcludes: rule(
    'error',
    'the Kubernetes Service can never have Pods of a version',
    "Take the label out of the Service's selector.",
  ),
  SelectorOverlap: rule(
    'warning',
    'one Pod may be of two versions',
    'Give both versions the same label key with different values.',
  ),
  VersionWithoutEndpoints: rule(
    'warning',
    'a version of the route has no ready endpoint',
    'Deploy Pods with its labels, or wait until they are ready.',
    'IST0173',
    'KIA0203',
  ),
  VersionWithoutPods: rule(
    'info',
    'no Pod bears the labels of a version that gets no requests yet',
    'Deploy it before its rollout, or correct the labels.',
    'IST0173',
    'KIA0203',
  ),
  NamespaceNotInjected: rule(
    'info',
    'the namespace asks for no proxies, and its Pods have none',
    "Label the namespace for the mesh's injection, and restart the Pods.",
    'IST0102',
  ),
  PodWithoutProxy: rule(
    'warning',
    'Pods of the service have no proxy of the mesh',
    'Restart them in a namespace with injection.',
    'IST0103',
  ),
  WorkloadWithoutPods: rule(
    'warning',
    'no Pod bears workload.labels: the policy for Pods binds nobody',
    'Correct workload.labels, or deploy the Pods.',
    'IST0127',
    'KIA0004',
  ),
  WorkloadDiffers: rule(
    'warning',
    "workload.labels are not the Kubernetes Service's selector",
    'Give workload.labels as in the selector, so that the policy holds for the same Pods.',
  ),
  HostClaimed: rule(
    'error',
    'another VirtualService has the same host within the mesh',
    'Remove it, or set "adopt": true to take over those in the namespace that are for the service alone and that no tool owns.',
    'IST0109',
    'KIA1106',
  ),
  DestinationRuleTwice: rule(
    'error',
    'another DestinationRule is for the same host',
    'Remove it, or set "adopt": true to take over those in the namespace that are for the service alone and that no tool owns.',
    'KIA0201',
  ),
  ClaimedByOthers: rule(
    'error',
    'an object of others speaks for the service too',
    'Remove it, or set "adopt": true to take over those in the namespace that are for the service alone and that no tool owns.',
  ),
  RouteNeverUsed: rule(
    'warning',
    'routes before it take all its requests',
    'Move the route up, or remove it.',
    'IST0130',
  ),
  RouteMatchNeverUsed: rule(
    'info',
    'routes before it take all requests of one match',
    'Move the route up, or remove the match.',
    'IST0131',
  ),
  ServiceAccountMissing: rule(
    'warning',
    'a service account that is named is not on the cluster',
    'Correct the name, or create the service account. One of another cluster of the same mesh may be meant.',
    'KIA0106',
  ),
  CallerNamespaceMissing: rule(
    'warning',
    'a namespace of callers is not on the cluster',
    'Correct the name, or create the namespace.',
    'KIA0101',
  ),
  CallerNeedsMtls: rule(
    'warning',
    'a rule asks who calls, and callers may come without mutual TLS',
    'Set security.mtls to "strict": without it nobody knows who calls.',
    'KIA0105',
  ),
  PlainCallers: rule(
    'error',
    'callers without mutual TLS are seen where it is to be strict; a warning where it is strict already, or that is waived',
    'Bring the callers into the mesh first, or set "waive": ["PlainCallers"] to refuse them knowingly.',
  ),
  PlainCallersUnknown: rule(
    'warning',
    'whether callers without mutual TLS would be refused is not known',
    'Give the cluster metrics, and look at GET /clusters/{cluster}/metrics.',
  ),
  NotSeen: rule(
    'info',
    'something could not be looked at',
    'Give Meshwright the right to list it; GET /clusters/{cluster}/access lists what is missing.',
  ),
} as const satisfies Readonly<Record<string, LintRule>>
export type LintCode = keyof typeof LINT_RULES
