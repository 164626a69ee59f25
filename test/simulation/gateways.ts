import { X509Certificate } from 'node:crypto'
import { REVISION } from '../../src/mesh/marks.ts'
import { serialText } from '../../src/model/certificate.ts'
import type { Handshakes, ShownCertificate } from '../../src/ports/handshake.ts'
import type { EmulatedCluster } from '../../src/sandbox/emulated-cluster.ts'
import { type Emulator, jsonResponse } from '../../src/sandbox/emulators/emulator.ts'
import type { KubernetesObject } from '../../src/sandbox/emulators/kubernetes/json.ts'
import { bodyText, callWithPatience } from '../../src/sandbox/transports/wire.ts'
import type { Chance } from '../../src/sandbox/world/chance.ts'
import type { VirtualTime } from './virtual-time.ts'

/** Where the gateways' namespace and Service are. */
export const GATEWAY_NAMESPACE = 'edge'
const DEADLINE_MS = 5000
const HOST = /^gateway\.([a-z]+)\.test$/

/** The namespace of a cluster's gateways, with a load balancer that can be reached. */
export function gatewayObjects(cluster: string): readonly object[] {
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: GATEWAY_NAMESPACE } },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'gateway', namespace: GATEWAY_NAMESPACE },
      spec: { type: 'LoadBalancer', selector: { istio: 'ingressgateway' }, ports: [{ port: 443, targetPort: 8443 }] },
      status: { loadBalancer: { ingress: [{ hostname: `gateway.${cluster}.test` }] } },
    },
  ]
}

/** People point a gateway to the Secret that was written last. */
interface Shown {
  readonly leaf: X509Certificate
  readonly revision: number
}

export interface GatewayOptions {
  readonly time: Pick<VirtualTime, 'after'>
  readonly chance: Chance
  readonly clusters: ReadonlyMap<string, EmulatedCluster>
}

/** Gateways show what their Secrets hold, some time later. The emulator answers which certificate is shown for a name. */
export function createGateways({ time, chance, clusters }: GatewayOptions): Emulator {
  const shown = new Map<string, Shown>()
  const seen = new Map<string, number>()
  let writes = 0
  for (const { name: cluster, kubernetes } of clusters.values()) {
    kubernetes.onWrite(({ verb, object }) => {
      if (object.kind !== 'Secret' || object.metadata.namespace !== GATEWAY_NAMESPACE) return
      const leaf = verb === 'delete' ? undefined : leafOf(object)
      const key = `${cluster} ${object.metadata.name}`
      writes += 1
      const write = writes
      time.after(Math.round(200 * 200 ** chance.next()), () => {
        // A watch may be late, and is never out of order.
        if (write < (seen.get(key) ?? 0)) return
        seen.set(key, write)
        if (leaf) shown.set(key, { leaf, revision: Number(object.metadata.annotations?.[REVISION] ?? 0) })
        else shown.delete(key)
      })
    })
  }
  return async ({ url, headers }) => {
    const [, cluster = ''] = HOST.exec(url.hostname) ?? []
    const here = [...shown].filter(([key]) => key.startsWith(`${cluster} `)).map(([, found]) => found)
    const [found] = here
      .filter(({ leaf }) => leaf.checkHost(headers.sni ?? ''))
      .sort((one, other) => other.revision - one.revision)
    if (!found) return jsonResponse(404, {})
    const { leaf } = found
    const certificate: ShownCertificate = {
      serial: serialText(leaf.serialNumber),
      notAfter: new Date(Date.parse(leaf.validTo)).toISOString(),
    }
    return jsonResponse(200, certificate)
  }
}

/** TLS handshakes over the simulation's network. */
export function handshakesOver(gateways: Emulator): Handshakes {
  return {
    async look(host, port, serverName) {
      const request = { method: 'GET', url: new URL(`https://${host}:${port}/`), headers: { sni: serverName } }
      try {
        const patience = { timeoutMs: DEADLINE_MS }
        const answer = await callWithPatience(gateways, { ...request, body: new Uint8Array() }, patience)
        return answer.status === 200 ? (JSON.parse(bodyText(answer)) as ShownCertificate) : undefined
      } catch {
        return undefined
      }
    },
  }
}

function leafOf({ data }: KubernetesObject): X509Certificate | undefined {
  const text = Buffer.from((data as Record<string, string> | undefined)?.['tls.crt'] ?? '', 'base64').toString('utf8')
  return text.startsWith('-----BEGIN CERTIFICATE-----') ? new X509Certificate(text) : undefined
}
