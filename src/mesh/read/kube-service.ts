import type { KubeObject } from '../../model/kube.ts'
import type { ServiceSpec } from '../../model/service.ts'
import { type ImportFinding, importFinding } from './codes.ts'

export type Port = ServiceSpec['ports'][number]

interface KubePort {
  readonly name?: string
  readonly port?: number
  readonly protocol?: string
  readonly targetPort?: number | string
  readonly appProtocol?: string
}

/** A Kubernetes Service as readers look at it. */
export interface KubeService {
  readonly namespace: string
  readonly name: string
  /** Labels of its Pods; empty: others keep its endpoints. */
  readonly selector: Readonly<Record<string, string>>
  readonly ports: readonly Port[]
  /** What is to be said of its ports. */
  readonly findings: readonly ImportFinding[]
}

/** What appProtocol, or the name of a port up to its "-", says; anything else is not known. */
const SPEAKS: Readonly<Record<string, Port['protocol']>> = {
  http: 'http',
  'kubernetes.io/ws': 'http',
  http2: 'http2',
  'kubernetes.io/h2c': 'http2',
  grpc: 'grpc',
  'grpc-web': 'grpc',
  https: 'tcp',
  'kubernetes.io/wss': 'tcp',
  tls: 'tcp',
  tcp: 'tcp',
  mongo: 'tcp',
  mysql: 'tcp',
  redis: 'tcp',
}

/** A Service with its ports; HTTP is assumed of those that do not say what they speak. */
export function readKubeService(object: KubeObject): KubeService {
  const { namespace = '', name } = object.metadata
  const { selector = {}, ports = [] } = (object.spec ?? {}) as {
    readonly selector?: Readonly<Record<string, string>>
    readonly ports?: readonly KubePort[]
  }
  const findings: ImportFinding[] = []
  const where = { object: `Service ${namespace}/${name}` }
  const read = ports.flatMap((port, index): readonly Port[] => {
    const field = `/spec/ports/${index}`
    if (port.port === undefined || (port.protocol ?? 'TCP') !== 'TCP') {
      findings.push(importFinding('PortLeftOut', `Port ${port.port} is for ${port.protocol}.`, { ...where, field }))
      return []
    }
    const protocol = protocolOf(port)
    if (!protocol) {
      const message = `Port ${port.port} does not say what it speaks; HTTP is assumed.`
      findings.push(importFinding('ProtocolAssumed', message, { ...where, field }))
    }
    const { targetPort = port.port } = port
    const spoken = protocol ?? 'http'
    return [{ name: port.name ?? spoken, port: port.port, protocol: spoken, targetPort }]
  })
  return { namespace, name, selector, ports: read, findings }
}

function protocolOf({ name = '', appProtocol }: KubePort): Port['protocol'] | undefined {
  const word = appProtocol ?? name.replace(/^(grpc-web|[^-]*)(-.*)?$/, '$1')
  const known = word.toLowerCase()
  return Object.hasOwn(SPEAKS, known) ? SPEAKS[known] : undefined
}

/** Do two sets of labels hold the same? */
export function sameLabels(a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>): boolean {
  return Object.keys(a).length === Object.keys(b).length && Object.entries(a).every(([key, value]) => b[key] === value)
}
