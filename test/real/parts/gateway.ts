import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { ApiServer } from './api-server.ts'
import type { Mesh } from './mesh.ts'
import { object, pod, podReady } from './mesh-objects.ts'
import type { Parts } from './parts.ts'
import { type SidecarPod, startSidecar } from './sidecar.ts'
import type { Site } from './site.ts'

/** A real ingress gateway (pilot-agent with Envoy) that serves a host by TLS with the Secret that its Gateway names. */
export interface Gateway {
  readonly address: string
  readonly port: number
  readonly host: string
  /** Where the TLS Secret is looked for. */
  readonly secret: { readonly namespace: string; readonly name: string }
  assertAlive(): void
  stop(): Promise<void>
}

/** Names as the AKS add-on gives them. */
const NAMESPACE = 'aks-istio-ingress'
const NAME = 'aks-istio-ingressgateway-external'
const HOST = 'web.example.com'
const PORT = 443
const SECRET = 'web-tls'

function podAt(site: Site): SidecarPod {
  return {
    namespace: NAMESPACE,
    name: 'gateway-0',
    serviceAccount: NAME,
    address: site.pod(20),
    labels: { istio: NAME, app: NAME },
    adminPort: site.port(15_320),
    role: 'router',
  }
}

/** Starts the gateway; it does not listen before its Secret is there. To be run in the namespace of run.ts. */
export async function startGateway(options: {
  parts: Parts
  dir: string
  api: ApiServer
  mesh: Mesh
}): Promise<Gateway> {
  const { parts, dir, api, mesh } = options
  mkdirSync(dir, { recursive: true })
  const gatewayPod = podAt(mesh.site)
  await api.admin.apply(objects(gatewayPod, mesh.host))
  await api.admin.patchStatus(object('v1', 'Service', NAMESPACE, NAME), {
    loadBalancer: { ingress: [{ ip: gatewayPod.address }] },
  })
  await podReady(api.admin, gatewayPod)
  const process = await startSidecar({ parts, dir: join(dir), api, istiod: mesh.istiod, pod: gatewayPod })
  return {
    address: gatewayPod.address,
    port: PORT,
    host: HOST,
    secret: { namespace: NAMESPACE, name: SECRET },
    assertAlive: () => process.assertAlive(),
    stop: () => process.stop(),
  }
}

function objects(gatewayPod: SidecarPod, backend: string) {
  const role = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'gateway-secrets' }
  const subjects = [{ kind: 'ServiceAccount', name: NAME, namespace: NAMESPACE }]
  const rules = [{ apiGroups: [''], resources: ['secrets'], verbs: ['get', 'list', 'watch'] }]
  const tls = { mode: 'SIMPLE', credentialName: SECRET }
  const server = {
    port: { number: PORT, name: 'https', protocol: 'HTTPS' },
    bind: gatewayPod.address,
    hosts: [HOST],
    tls,
  }
  return [
    object('v1', 'Namespace', undefined, NAMESPACE),
    object('v1', 'ServiceAccount', NAMESPACE, NAME),
    // istiod hands a Secret only to a proxy whose service account may read Secrets in its own namespace.
    object('rbac.authorization.k8s.io/v1', 'Role', NAMESPACE, role.name, { rules }),
    object('rbac.authorization.k8s.io/v1', 'RoleBinding', NAMESPACE, role.name, { roleRef: role, subjects }),
    object('v1', 'Service', NAMESPACE, NAME, {
      spec: {
        type: 'LoadBalancer',
        selector: gatewayPod.labels,
        ports: [{ name: 'https', port: PORT, targetPort: PORT }],
      },
    }),
    pod(gatewayPod),
    object('networking.istio.io/v1', 'Gateway', NAMESPACE, 'web', {
      spec: { selector: { istio: NAME }, servers: [server] },
    }),
    object('networking.istio.io/v1', 'VirtualService', NAMESPACE, 'web', {
      spec: { hosts: [HOST], gateways: ['web'], http: [{ route: [{ destination: { host: backend } }] }] },
    }),
  ]
}
