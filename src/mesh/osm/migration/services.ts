import type { KubeObject } from '../../../model/kube.ts'
import type { Finding } from '../../lint/finding.ts'
import {
  accountKey,
  bears,
  type KubeServiceSpec,
  type OsmObjects,
  specOf,
  type Workload,
  workloadsOf,
} from './objects.ts'
import { found } from './rules.ts'

/** A port that the mesh serves. */
export interface MeshPort {
  readonly name: string
  readonly port: number
  /** Number of the port of the Pods. */
  readonly targetPort: number
  readonly protocol: 'http' | 'grpc' | 'tcp'
}

/** A Kubernetes Service with the Pods behind it. */
export interface MeshService {
  readonly namespace: string
  readonly name: string
  readonly selector: Readonly<Record<string, string>>
  readonly ports: readonly MeshPort[]
  /** Those with the mesh's proxy; at least one, unless it is the root of a split or a backend. */
  readonly workloads: readonly Workload[]
}

export interface ReadServices {
  /** Every Service with a selector, by `bookstore/bookstore`. */
  readonly services: ReadonlyMap<string, MeshService>
  /** All workloads of watched namespaces. */
  readonly workloads: readonly Workload[]
  readonly findings: readonly Finding[]
}

/** The Services of watched namespaces. */
export function readServices(objects: OsmObjects): ReadServices {
  const workloads = workloadsOf(objects)
  const near = Map.groupBy(workloads, (one) => one.namespace)
  const findings: Finding[] = []
  const services = objects.services.flatMap((service): [string, MeshService][] => {
    const { namespace = '', name } = service.metadata
    const { selector = {} } = specOf<KubeServiceSpec>(service)
    if (Object.keys(selector).length === 0) {
      findings.push(
        found('ServiceWithoutSelector', objectOf({ namespace, name }), `${namespace}/${name} selects no Pods.`),
      )
      return []
    }
    const behind = (near.get(namespace) ?? []).filter((one) => bears(one.labels, selector))
    const meshed = behind.filter(({ meshed }) => meshed)
    const read = portsOf(service, meshed)
    findings.push(...(meshed.length > 0 ? read.findings : []), ...proxyFindings({ namespace, name }, behind, meshed))
    return [[`${namespace}/${name}`, { namespace, name, selector, ports: read.ports, workloads: meshed }]]
  })
  return { services: new Map(services), workloads, findings }
}

/** `Service bookstore/bookstore` */
export function objectOf({ namespace, name }: Pick<MeshService, 'namespace' | 'name'>): string {
  return `Service ${namespace}/${name}`
}

/** Service accounts of a service's Pods, each once. */
export function accountsOf({ workloads }: Pick<MeshService, 'workloads'>): readonly string[] {
  return [...new Set(workloads.map(({ namespace, account }) => accountKey({ namespace, name: account })))].sort()
}

function proxyFindings(
  service: Pick<MeshService, 'namespace' | 'name'>,
  behind: readonly Workload[],
  meshed: readonly Workload[],
): readonly Finding[] {
  const object = objectOf(service)
  const plain = behind.filter(({ meshed }) => !meshed).map((one) => one.object)
  if (behind.length === 0) return [found('ServiceWithoutPods', object, `Nothing bears the selector of ${object}.`)]
  if (meshed.length === 0) return [found('NotInMesh', object, `${plain[0]} has no proxy of the mesh.`)]
  if (plain.length === 0) return []
  return [found('PodsWithoutProxy', object, `No proxy of the mesh: ${plain.slice(0, 5).join(', ')}.`)]
}

const SERVER_FIRST = 'tcp-server-first'
const PROTOCOLS: Readonly<Record<string, MeshPort['protocol']>> = {
  http: 'http',
  grpc: 'grpc',
  tcp: 'tcp',
  [SERVER_FIRST]: 'tcp',
}

/** By `appProtocol`, else by how the name begins, else HTTP: `pkg/k8s/client.go` of Open Service Mesh 1.2.4. */
function portsOf(
  service: KubeObject,
  workloads: readonly Workload[],
): { ports: readonly MeshPort[]; findings: readonly Finding[] } {
  const { namespace = '', name: of } = service.metadata
  const object = objectOf({ namespace, name: of })
  const findings: Finding[] = []
  const ports = (specOf<KubeServiceSpec>(service).ports ?? []).flatMap((port): MeshPort[] => {
    const { name = `port-${port.port}`, appProtocol } = port
    const prefix = [SERVER_FIRST, 'http', 'tcp', 'grpc'].find((one) => name.startsWith(`${one}-`))
    const protocol = PROTOCOLS[(appProtocol ?? prefix ?? 'http').toLowerCase()]
    if (!protocol) {
      findings.push(found('PortNotServed', object, `Port ${name} speaks ${appProtocol}.`))
      return []
    }
    const targetPort = numberOf(port.targetPort ?? port.port, workloads)
    if (targetPort === undefined) {
      findings.push(
        found('PortUnknown', object, `Port ${name} leads to ${port.targetPort}, which Pods do not name alike.`),
      )
      return []
    }
    return [{ name, port: port.port, targetPort, protocol }]
  })
  return { ports, findings }
}

/** Of a port by number, or by the name that all Pods have for it. */
function numberOf(target: number | string, workloads: readonly Workload[]): number | undefined {
  if (typeof target === 'number') return target
  if (/^\d+$/.test(target)) return Number(target)
  const numbers = new Set(workloads.map(({ ports }) => ports[target]))
  const [only] = numbers
  return numbers.size === 1 ? only : undefined
}
