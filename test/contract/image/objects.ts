import type { KubeObject } from '../../../src/model/kube.ts'

const PODS = { app: 'web', version: 'v1' }

/** The Kubernetes Service of both versions. */
export function kubeService(): KubeObject {
  const spec = { selector: { app: 'web' }, ports: [{ name: 'http', port: 80 }] }
  return { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace: 'shop' }, spec }
}

/** A Deployment as people write them: probes, resources, volumes, rules by label, and what kubectl notes. */
export function stable(): KubeObject {
  const apart = { labelSelector: { matchLabels: PODS }, topologyKey: 'kubernetes.io/hostname' }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: 'web-v1',
      namespace: 'shop',
      labels: PODS,
      annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}' },
    },
    spec: {
      replicas: 4,
      minReadySeconds: 2,
      selector: { matchLabels: PODS },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: {
        metadata: { labels: PODS, annotations: { 'prometheus.io/scrape': 'true' } },
        spec: {
          affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [apart] } },
          initContainers: [{ name: 'migrate', image: 'registry.example.com/migrate:9' }],
          containers: [
            {
              name: 'web',
              image: 'registry.example.com/web:1',
              env: [{ name: 'COLOUR', value: 'green' }],
              ports: [{ containerPort: 8080 }],
              readinessProbe: { httpGet: { path: '/ready', port: 8080 } },
              resources: { requests: { cpu: '100m' } },
              volumeMounts: [{ name: 'settings', mountPath: '/etc/web' }],
            },
          ],
          volumes: [{ name: 'settings', configMap: { name: 'web' } }],
        },
      },
    },
  }
}

interface Posted {
  readonly path: string
  readonly body: KubeObject
}

/** Pods by version, and the EndpointSlice that names them all as ready. */
export function podsOf(counts: Readonly<Record<string, number>>): readonly Posted[] {
  const pods = Object.entries(counts).flatMap(([version, count]) =>
    Array.from({ length: count }, (_, index) => ({ name: `web-${version}-${index}`, version })),
  )
  const endpoints = pods.map(({ name }, index) => ({
    addresses: [`10.1.0.${index + 1}`],
    conditions: { ready: true },
    targetRef: { kind: 'Pod', name, namespace: 'shop' },
  }))
  const slice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'web-1', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'web' } },
    addressType: 'IPv4',
    endpoints,
  }
  return [
    ...pods.map(({ name, version }) => ({
      path: '/api/v1/namespaces/shop/pods',
      body: {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, namespace: 'shop', labels: { app: 'web', version } },
        spec: { containers: [{ name: 'web', image: 'registry.example.com/web' }] },
      },
    })),
    { path: '/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices', body: slice },
  ]
}
