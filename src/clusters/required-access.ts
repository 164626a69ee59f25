import { anchorsRef, issuerRef } from '../mesh/linkerd/identity.ts'
import { BUNDLE_PLACES } from '../mesh/trust/bundle-places.ts'
import type { ProviderName } from '../model/cluster.ts'
import type { AccessQuestion } from '../ports/cluster-api.ts'

const READ = ['get', 'list'] as const
const WRITE = ['create', 'patch', 'delete'] as const

/** A right, with what it is for. */
export type RequiredRight = AccessQuestion & { readonly why: string }

/** Every right that Meshwright needs on a cluster, with what it is for. */
export const REQUIRED_ACCESS: readonly RequiredRight[] = [
  ...ask(['list'], 'apiextensions.k8s.io', ['customresourcedefinitions'], 'finds out which mesh is there'),
  ...ask(
    ['list'],
    'apps',
    ['deployments'],
    "finds out the mesh's revision, versions that select each other's Pods, and what a candidate is copied from",
  ),
  ...ask(['list'], 'autoscaling', ['horizontalpodautoscalers'], 'finds two that scale one version'),
  ...ask(['list'], 'policy', ['poddisruptionbudgets'], 'finds those that select the Pods of two versions'),
  ...ask(READ, '', ['namespaces'], 'honours the annotation meshwright.io/hold'),
  ...ask(['get'], '', ['services'], 'checks ports before a plan'),
  ...ask(['list'], '', ['pods'], 'knows which endpoints belong to which version'),
  ...ask(['list'], 'discovery.k8s.io', ['endpointslices'], 'sends no request to a version without ready endpoints'),
  ...ask([...READ, ...WRITE], 'networking.istio.io', ['virtualservices', 'destinationrules'], 'writes routes'),
  ...ask([...READ, ...WRITE], 'networking.istio.io', ['gateways'], 'lets requests for exposed hosts in'),
  ...ask(['list'], 'gateway.networking.k8s.io', ['httproutes'], 'finds routes of others for the same Service'),
]

const SERVICES = ask(
  ['list', ...WRITE],
  '',
  ['services'],
  'makes the Services by which versions are reached, where the mesh has no subsets',
)

/** What Meshwright needs besides on clusters of a mesh, by its provider: rights in the whole cluster too. */
export const MESH_ACCESS: Readonly<Partial<Record<ProviderName, readonly RequiredRight[]>>> = {
  linkerd: [
    ...SERVICES,
    ...ask([...READ, ...WRITE], 'gateway.networking.k8s.io', ['httproutes', 'grpcroutes'], 'writes routes on Services'),
    ...ask(
      [...READ, ...WRITE],
      'policy.linkerd.io',
      [
        'servers',
        'authorizationpolicies',
        'meshtlsauthentications',
        'networkauthentications',
        'httplocalratelimitpolicies',
      ],
      'writes who may call, and how often',
    ),
    ...ask(['list'], 'policy.linkerd.io', ['httproutes'], 'finds routes of others for the same Service'),
    ...ask(['list'], 'linkerd.io', ['serviceprofiles'], 'finds what would put routes out of force'),
  ],
  'gateway-api': [
    ...SERVICES,
    ...ask([...READ, ...WRITE], 'gateway.networking.k8s.io', ['httproutes', 'grpcroutes'], 'writes routes at Gateways'),
  ],
  consul: [
    ...ask(
      [...READ, ...WRITE],
      'consul.hashicorp.com',
      ['servicedefaults', 'serviceresolvers', 'servicesplitters', 'servicerouters'],
      'writes how requests are split and routed, and sees whether Consul takes it',
    ),
    ...ask([...READ, ...WRITE], 'consul.hashicorp.com', ['serviceintentions'], 'writes who may call'),
  ],
  osm: [
    ...SERVICES,
    ...ask([...READ, ...WRITE], 'split.smi-spec.io', ['trafficsplits'], 'writes how requests are split'),
    ...ask([...READ, ...WRITE], 'access.smi-spec.io', ['traffictargets'], 'writes who may call'),
    ...ask([...READ, ...WRITE], 'specs.smi-spec.io', ['httproutegroups'], 'writes which requests may be made'),
    ...ask(
      [...READ, ...WRITE],
      'policy.openservicemesh.io',
      ['upstreamtrafficsettings', 'egresses'],
      'writes limits, and what may be reached outside',
    ),
    ...ask(
      ['list'],
      'config.openservicemesh.io',
      ['meshconfigs'],
      'finds out whether the mesh looks at policies at all',
    ),
    ...ask(['list'], 'apps', ['statefulsets', 'daemonsets'], 'reads what a migration to Istio carries over'),
    ...ask(['list'], 'specs.smi-spec.io', ['tcproutes'], 'reads what a migration to Istio carries over'),
    ...ask(
      ['list'],
      'policy.openservicemesh.io',
      ['ingressbackends', 'retries'],
      'reads what a migration to Istio carries over',
    ),
  ],
}

/** What it needs besides where a service has a policy for its Pods: security, egress or telemetry. */
export const POLICY_ACCESS: readonly RequiredRight[] = [
  ...ask(
    [...READ, ...WRITE],
    'security.istio.io',
    ['peerauthentications', 'requestauthentications', 'authorizationpolicies'],
    'writes who may call',
  ),
  ...ask(
    [...READ, ...WRITE],
    'networking.istio.io',
    ['serviceentries', 'sidecars'],
    'writes what Pods may reach outside',
  ),
  ...ask([...READ, ...WRITE], 'telemetry.istio.io', ['telemetries'], 'writes what proxies tell'),
  ...ask(['list'], '', ['serviceaccounts'], 'tells in a plan whether the callers that rules name are there'),
]

/** What it needs besides on clusters that allow EnvoyFilters. */
export const ENVOY_FILTER_ACCESS: readonly RequiredRight[] = ask(
  [...READ, ...WRITE],
  'networking.istio.io',
  ['envoyfilters'],
  'writes rate limits',
)

/** What it needs besides to import what others wrote for a mesh, by its provider: lists alone, asked for with `?for=import`. */
export const IMPORT_ACCESS: Readonly<Partial<Record<ProviderName, readonly RequiredRight[]>>> = {
  istio: [
    ...ask(['list'], '', ['services'], 'finds the services that others made'),
    ...ask(['list'], 'extensions.istio.io', ['wasmplugins'], 'tells in an import of what it does not read'),
    ...ask(['list'], 'networking.istio.io', ['envoyfilters'], 'tells in an import of what it does not read'),
    ...POLICY_ACCESS.filter(({ verb, group }) => verb === 'list' && group !== ''),
  ],
}

/**
 * What it needs besides where a mesh CA is registered, and to show what meshes trust: ConfigMaps of these names alone, in any
 * namespace. Kubernetes grants a list of one name to who has a right on that name.
 */
export const TRUST_ACCESS: Readonly<Record<keyof typeof BUNDLE_PLACES, readonly RequiredRight[]>> = {
  istio: [
    ...ofName(BUNDLE_PLACES.istio.configMap),
    ...ask(
      ['list'],
      'networking.istio.io',
      ['workloadentries'],
      'sees whether machines outside the cluster are of the mesh',
    ),
  ],
  linkerd: ofName(BUNDLE_PLACES.linkerd.configMap),
}

function ofName(name: string): readonly RequiredRight[] {
  return [{ verb: 'list', group: '', resource: 'configmaps', name, why: 'sees which roots proxies trust' }]
}

/**
 * What it needs besides in the namespace of Linkerd's control plane whose CA is registered: the two objects of its identity, by
 * their names, and its events. A right to create is on the name too: an apply names what it makes.
 */
export const LINKERD_IDENTITY_ACCESS: readonly RequiredRight[] = [
  ...ask(['get', 'create', 'patch'], '', ['configmaps'], 'brings trust anchors to Linkerd').map(
    named(anchorsRef('').name),
  ),
  ...ask(['get', 'create', 'patch'], '', ['secrets'], 'brings the issuer to Linkerd').map(named(issuerRef('').name)),
  ...ask(['list'], '', ['events'], 'sees whether Linkerd took its issuer'),
]

function named(name: string) {
  return (right: RequiredRight): RequiredRight => ({ ...right, name })
}

/**
 * What it needs besides in istiod's own namespace, by a Role, to read there that istiod took or refused a new root. Without it a
 * rotation waits for trust bundles and metrics alone.
 */
export const ISTIOD_LOG_ACCESS: readonly RequiredRight[] = ask(
  ['get'],
  '',
  ['pods/log'],
  'reads whether istiod took or refused a new root',
)

/**
 * What it needs besides where a mesh CA says `restarts`, in the whole cluster. Kubernetes grants no right on one annotation: whoever
 * may patch workloads may run any program there.
 */
export const RESTART_ACCESS: readonly RequiredRight[] = [
  ...ask(['list', 'patch'], 'apps', ['statefulsets', 'daemonsets'], 'restarts workloads for a rotation of the mesh CA'),
  ...ask(['patch'], 'apps', ['deployments'], 'restarts workloads for a rotation of the mesh CA'),
]

/**
 * What Meshwright needs besides in each namespace of a gateway that it brings certificates to. Rights in those namespaces
 * alone, by a Role: whoever may read Secrets in the whole cluster may everything there.
 */
export const GATEWAY_ACCESS: readonly RequiredRight[] = [
  ...ask([...READ, ...WRITE], '', ['secrets'], 'writes the TLS Secret that the gateway reads'),
  ...ask(['list'], '', ['services'], 'finds where the gateway listens, to see which certificate it shows'),
]

/**
 * What Meshwright needs besides in each namespace of services that are released by `image`. By a Role too: whoever may patch
 * Deployments may run any program there.
 */
export const IMAGE_ACCESS: readonly RequiredRight[] = ask(
  ['create', 'patch'],
  'apps',
  ['deployments'],
  'makes the Deployment of a candidate from an image, and scales down the one that lost',
)

/** What delivery by the Secrets Store CSI driver needs there too. */
export const DRIVER_ACCESS: readonly RequiredRight[] = [
  ...ask(
    [...READ, ...WRITE],
    'secrets-store.csi.x-k8s.io',
    ['secretproviderclasses'],
    'tells the CSI driver which certificate to fetch',
  ),
  ...ask([...READ, ...WRITE], 'apps', ['deployments'], 'keeps a Pod that makes the CSI driver fetch it'),
]

function ask(verbs: readonly string[], group: string, resources: readonly string[], why: string) {
  return resources.flatMap((resource) => verbs.map((verb) => ({ verb, group, resource, why })))
}
