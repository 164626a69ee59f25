import type { KindRef } from '../../../model/kube.ts'
import { EGRESS, HTTP_ROUTE_GROUP, TRAFFIC_SETTING, TRAFFIC_SPLIT, TRAFFIC_TARGET } from '../names.ts'

/** The kinds that a migration reads, by the field of `OsmObjects` that holds them. */
export const READ_KINDS = {
  meshConfigs: { apiVersion: 'config.openservicemesh.io/v1alpha2', kind: 'MeshConfig' },
  namespaces: { apiVersion: 'v1', kind: 'Namespace' },
  services: { apiVersion: 'v1', kind: 'Service' },
  pods: { apiVersion: 'v1', kind: 'Pod' },
  deployments: { apiVersion: 'apps/v1', kind: 'Deployment' },
  statefulSets: { apiVersion: 'apps/v1', kind: 'StatefulSet' },
  daemonSets: { apiVersion: 'apps/v1', kind: 'DaemonSet' },
  trafficSplits: TRAFFIC_SPLIT,
  trafficTargets: TRAFFIC_TARGET,
  routeGroups: HTTP_ROUTE_GROUP,
  tcpRoutes: { apiVersion: 'specs.smi-spec.io/v1alpha4', kind: 'TCPRoute' },
  trafficSettings: TRAFFIC_SETTING,
  egresses: EGRESS,
  ingressBackends: { apiVersion: 'policy.openservicemesh.io/v1alpha1', kind: 'IngressBackend' },
  retries: { apiVersion: 'policy.openservicemesh.io/v1alpha1', kind: 'Retry' },
} as const satisfies Readonly<Record<string, KindRef>>
export type ReadKind = keyof typeof READ_KINDS
