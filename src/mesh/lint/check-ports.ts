import type { ServiceSpec } from '../../model/service.ts'
import { type Finding, finding } from './finding.ts'
import { type Desired, type Seen, serviceRef } from './subject.ts'

interface KubePort {
  readonly name?: string
  readonly port?: number
  readonly targetPort?: number | string
  readonly appProtocol?: string
}

type Port = ServiceSpec['ports'][number]

/** Do the ports of the Kubernetes Service speak what is registered? That one is missing is told elsewhere. */
export function checkPorts(desired: Desired, { kubeService }: Seen): readonly Finding[] {
  const ports = kubeService?.spec?.ports
  if (!Array.isArray(ports)) return []
  const theirs = ports as readonly KubePort[]
  const own = desired.spec.ports.flatMap((port, index) => {
    const found = theirs.find((one) => one.port === port.port)
    return found ? [...checkTarget(desired, port, index, found), ...checkProtocol(desired, port, index, found)] : []
  })
  return [...own, ...checkUnregistered(desired, theirs)]
}

function checkTarget(desired: Desired, port: Port, index: number, found: KubePort): readonly Finding[] {
  const theirs = found.targetPort ?? found.port
  if (typeof port.targetPort !== 'number' || typeof theirs !== 'number' || port.targetPort === theirs) return []
  const message = `${serviceRef(desired)} sends port ${port.port} to port ${theirs} of the Pods, not to ${port.targetPort}.`
  return [finding('TargetPortDiffers', message, { object: serviceRef(desired), field: `/ports/${index}/targetPort` })]
}

/** Names that Istio knows, as appProtocol or as the name of a port up to a "-", and whether they stand for HTTP. */
const SPEAKS_HTTP: Readonly<Record<string, boolean>> = {
  http: true,
  http2: true,
  grpc: true,
  'grpc-web': true,
  'kubernetes.io/h2c': true,
  'kubernetes.io/ws': true,
  https: false,
  'kubernetes.io/wss': false,
  tls: false,
  tcp: false,
  mongo: false,
  mysql: false,
  redis: false,
}

function checkProtocol(desired: Desired, port: Port, index: number, found: KubePort): readonly Finding[] {
  if (desired.mesh.provider !== 'istio') return []
  const where = { object: serviceRef(desired), field: `/ports/${index}/protocol` }
  const said = (found.appProtocol ?? found.name ?? '').toLowerCase()
  // A name counts up to its "-", an appProtocol as a whole.
  const word = found.appProtocol === undefined ? said.replace(/^(grpc-web|[^-]*)(-.*)?$/, '$1') : said
  const isHttp = Object.hasOwn(SPEAKS_HTTP, word) ? SPEAKS_HTTP[word] : undefined
  if (isHttp === undefined) {
    const named = said === '' ? 'has no name' : `says "${said}"`
    const message = `Port ${port.port} of ${where.object} ${named}, and so no protocol that Istio knows: it guesses.`
    return [finding('PortNameUnclear', message, where)]
  }
  if (isHttp === (port.protocol !== 'tcp')) return []
  const message = `Port ${port.port} of ${where.object} says "${said}", and is registered as ${port.protocol}: its routes would not be used.`
  return [finding('PortProtocolDiffers', message, where)]
}

function checkUnregistered(desired: Desired, theirs: readonly KubePort[]): readonly Finding[] {
  const more = theirs.filter(({ port }) => !desired.spec.ports.some((own) => own.port === port))
  if (more.length === 0) return []
  const object = serviceRef(desired)
  const message = `${object} also has port ${more.map(({ port }) => port).join(', ')}, which the service does not register.`
  return [finding('PortsUnregistered', message, { object, field: '/ports' })]
}
