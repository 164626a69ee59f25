import { definitionOf } from './custom-resources.ts'
import type { KubernetesObject } from './json.ts'

const KINDS: readonly (readonly [group: string, version: string, kind: string, plural: string])[] = [
  ['split.smi-spec.io', 'v1alpha2', 'TrafficSplit', 'trafficsplits'],
  ['access.smi-spec.io', 'v1alpha3', 'TrafficTarget', 'traffictargets'],
  ['specs.smi-spec.io', 'v1alpha4', 'HTTPRouteGroup', 'httproutegroups'],
  ['specs.smi-spec.io', 'v1alpha4', 'TCPRoute', 'tcproutes'],
  ['policy.openservicemesh.io', 'v1alpha1', 'UpstreamTrafficSetting', 'upstreamtrafficsettings'],
  ['policy.openservicemesh.io', 'v1alpha1', 'Egress', 'egresses'],
  ['policy.openservicemesh.io', 'v1alpha1', 'IngressBackend', 'ingressbackends'],
  ['policy.openservicemesh.io', 'v1alpha1', 'Retry', 'retries'],
  ['config.openservicemesh.io', 'v1alpha2', 'MeshConfig', 'meshconfigs'],
]

/** The CustomResourceDefinitions of Open Service Mesh 1.2 that services are written with, in the versions that it serves, as objects to seed. */
export function osmDefinitions(): KubernetesObject[] {
  return KINDS.map(([group, version, kind, plural]) => definitionOf({ group, versions: [version], kind, plural }))
}
