import type { KubeObject } from '../../model/kube.ts'
import type { ClusterApi } from '../../ports/cluster-api.ts'

/** Where a gateway listens for TLS. */
export interface GatewayAddress {
  readonly host: string
  readonly port: number
}

const SERVICE = { apiVersion: 'v1', kind: 'Service' }
const TLS_PORT = 443
/** Keys by which Services of Istio's gateways, the add-on's and those of the Gateway API, select their Pods. */
const GATEWAY_SELECTORS = ['istio', 'gateway.networking.k8s.io/gateway-name']
const MOST = 4

/** The addresses of the load balancers of Istio's gateways in a namespace. Throws PortError. */
export async function gatewayAddresses(api: ClusterApi, namespace: string): Promise<readonly GatewayAddress[]> {
  const services = await api.list(SERVICE, { namespace })
  const hosts = services.filter(isGateway).flatMap(ingressHosts)
  return [...new Set(hosts)].slice(0, MOST).map((host) => ({ host, port: TLS_PORT }))
}

function isGateway({ spec }: KubeObject): boolean {
  const { type, selector, ports } = (spec ?? {}) as {
    readonly type?: string
    readonly selector?: Readonly<Record<string, string>>
    readonly ports?: readonly { readonly port?: number }[]
  }
  if (type !== 'LoadBalancer' || !GATEWAY_SELECTORS.some((key) => Object.hasOwn(selector ?? {}, key))) return false
  return (ports ?? []).some(({ port }) => port === TLS_PORT)
}

function ingressHosts({ status }: KubeObject): readonly string[] {
  const { loadBalancer } = (status ?? {}) as {
    readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string; readonly hostname?: string }[] }
  }
  return (loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }) => ip ?? hostname ?? [])
}
