import { shortId } from '../../model/digest.ts'
import type { KubeObject } from '../../model/kube.ts'
import type { EgressSpec } from '../../model/policy/egress.ts'
import type { RenderInput } from '../provider.ts'
import { DESTINATION_RULE, SERVICE_ENTRY, SIDECAR } from './names.ts'
import { partObject } from './workload-object.ts'

type Host = NonNullable<EgressSpec['hosts']>[number]

/** TLS by callers' proxies towards hosts outside, in the order of names. */
export function egressRules(input: RenderInput): readonly KubeObject[] {
  return hostsOf(input)
    .filter(({ originateTls }) => originateTls)
    .map(({ host, ports }) => {
      const portLevelSettings = ports.map(({ port }) => ({
        port: { number: port },
        // With a name of its own for SNI, Istio checks no name in the certificate unless it is told to.
        tls: { mode: 'SIMPLE', sni: host, subjectAltNames: [host] },
      }))
      const spec = { host, trafficPolicy: { portLevelSettings }, exportTo: ['.'] }
      return partObject(input, DESTINATION_RULE, hostPart(host), spec)
    })
}

/** Hosts outside the mesh that are known in the namespace, in the order of names. */
export function serviceEntries(input: RenderInput): readonly KubeObject[] {
  return hostsOf(input).map((host) => partObject(input, SERVICE_ENTRY, hostPart(host.host), entrySpec(host)))
}

/** What a ServiceEntry for a host says. Two of one host in a namespace must agree in it. */
export function entrySpec({ host, ports, originateTls }: Host): Readonly<Record<string, unknown>> {
  return {
    hosts: [host],
    ports: ports.map(({ port, protocol }) => ({
      number: port,
      name: `${protocol}-${port}`,
      protocol: protocol.toUpperCase(),
      ...(originateTls && port === 80 ? { targetPort: 443 } : {}),
    })),
    location: 'MESH_EXTERNAL',
    resolution: host.startsWith('*') ? 'NONE' : 'DNS',
    exportTo: ['.'],
  }
}

/** What becomes of hosts that nobody named. */
export function sidecar(input: RenderInput): KubeObject | undefined {
  const unlisted = input.policy.egress?.unlisted
  if (!unlisted) return undefined
  return partObject(input, SIDECAR, undefined, {
    workloadSelector: { labels: input.spec.workload?.labels ?? {} },
    outboundTrafficPolicy: { mode: unlisted === 'deny' ? 'REGISTRY_ONLY' : 'ALLOW_ANY' },
  })
}

function hostsOf({ policy }: RenderInput): readonly Host[] {
  return [...(policy.egress?.hosts ?? [])].sort((a, b) => (a.host < b.host ? -1 : 1))
}

/** A host's name is too long for the name of an object beside the service's. */
export function hostPart(host: string): string {
  return shortId(12, host)
}
