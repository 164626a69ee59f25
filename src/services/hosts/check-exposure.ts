import { foreignHosts } from '../../model/access.ts'
import type { CertificateDocument, ClusterDocument } from '../../model/documents.ts'
import { type Failure, type FailureCode, fail } from '../../model/failure.ts'
import { gatewayOn } from '../../model/gateway.ts'
import { claimsOf, splitHostKey } from '../../model/host.ts'
import type { ExposureSpec } from '../../model/policy/exposure.ts'
import type { PolicyHolder } from '../../model/policy/service-policy.ts'
import { type ServiceSpec, serviceKey } from '../../model/service.ts'
import type { TeamSpec } from '../../model/team.ts'
import type { Store } from '../../ports/store.ts'
import { servesAlike } from './bids.ts'
import { refuseTakenHosts } from './reserve-hosts.ts'

/** Whose exposure is checked, and where it is to be. */
export interface ExposedService extends PolicyHolder {
  readonly namespace: string
  readonly name: string
  /** Those that it is to be on. */
  readonly clusters: readonly ClusterDocument[]
}

/** An exposure with its place in the body. */
interface Placed {
  readonly exposure: ExposureSpec
  /** JSON pointer. */
  readonly pointer: string
}

/** Why a service cannot be exposed as it asks to be; undefined: nothing. Throws PortError. */
export async function checkExposure(store: Store, service: ExposedService): Promise<Failure | undefined> {
  const all = placed(service.spec)
  if (all.length === 0) return undefined
  const team = (await store.read('team', service.spec.team))?.value.spec
  return (
    checkOwner(service, team, all) ??
    checkPorts(service, all) ??
    checkTwins(service) ??
    checkGateways(service, all) ??
    (await checkCertificates(store, service, all)) ??
    refuseTakenHosts(store, serviceKey(service.namespace, service.name), claimsOf(service, service.clusters))
  )
}

function placed({ exposure = [], overrides = [] }: ServiceSpec): readonly Placed[] {
  const at = (list: readonly ExposureSpec[], pointer: string) =>
    list.map((one, index) => ({ exposure: one, pointer: `${pointer}/exposure/${index}` }))
  return [...at(exposure, ''), ...overrides.flatMap((one, index) => at(one.exposure ?? [], `/overrides/${index}`))]
}

function checkOwner({ spec }: ExposedService, team: TeamSpec | undefined, all: readonly Placed[]): Failure | undefined {
  const foreign = all.filter(({ exposure }) => foreignHosts([exposure.host], team?.hosts ?? []).length > 0)
  if (foreign.length === 0) return undefined
  const errors = foreign.map(({ exposure, pointer }) => ({
    pointer: `${pointer}/host`,
    reason: `team ${spec.team} does not own ${exposure.host}`,
  }))
  return fail('InvalidCombination', 'The service is exposed on hosts that its team does not own.', {
    errors,
    hint: 'An administrator can add the hosts to the team.',
  }).failure
}

function checkPorts({ spec }: ExposedService, all: readonly Placed[]): Failure | undefined {
  const errors = all.flatMap(({ exposure, pointer }) => {
    const port = exposure.port === undefined ? spec.ports[0] : spec.ports.find(({ name }) => name === exposure.port)
    if (!port) return [{ pointer: `${pointer}/port`, reason: 'must be the name of a port of the service' }]
    return port.protocol === 'tcp'
      ? [{ pointer, reason: `port ${port.name} speaks TCP: hosts and paths are HTTP` }]
      : []
  })
  return failure('InvalidCombination', 'A port cannot be exposed.', errors)
}

/** One service may not contradict itself on a host. */
function checkTwins(service: ExposedService): Failure | undefined {
  for (const [key, claims] of claimsOf(service, service.clusters)) {
    for (const [index, claim] of claims.entries()) {
      const earlier = claims.slice(0, index).filter(({ cluster }) => cluster === claim.cluster)
      const { host } = splitHostKey(key)
      const reason = earlier.some(({ path }) => path === claim.path)
        ? `names ${claim.path} of ${host} twice for ${claim.cluster}`
        : earlier.some((other) => !servesAlike(other, claim))
          ? `must give all paths of ${host} the same tls and redirectHttp on ${claim.cluster}`
          : undefined
      if (reason !== undefined)
        return failure('InvalidCombination', `The exposure ${reason}.`, [{ pointer: '/exposure', reason }])
    }
  }
  return undefined
}

/** A cluster whose mesh is not known yet is left to the worker. */
function checkGateways({ clusters }: ExposedService, all: readonly Placed[]): Failure | undefined {
  const errors = clusters
    .filter(({ mesh }) => mesh !== undefined)
    .flatMap((cluster) =>
      all
        .filter(({ exposure }) => !gatewayOn(cluster, exposure.gateway))
        .map(({ exposure, pointer }) => ({
          pointer: `${pointer}/gateway`,
          reason: `cluster ${cluster.name} has no gateway ${exposure.gateway}: name it in mesh.gateways of the cluster`,
        })),
    )
  return failure('UnknownReference', 'A gateway is not there.', errors)
}

async function checkCertificates(
  store: Store,
  { clusters }: ExposedService,
  all: readonly Placed[],
): Promise<Failure | undefined> {
  for (const { exposure, pointer } of all) {
    const { tls, host, gateway } = exposure
    if (!tls) continue
    const at = `${pointer}/tls/certificate`
    const certificate = (await store.read('certificate', tls.certificate))?.value
    if (!certificate || certificate.deletingAt !== undefined) {
      const errors = [{ pointer: at, reason: `there is no certificate ${tls.certificate}` }]
      return failure('UnknownReference', `The exposure names the unknown certificate ${tls.certificate}.`, errors)
    }
    const reason =
      unfit(certificate, host) ??
      clusters.map((cluster) => misplaced(certificate, gatewayOn(cluster, gateway), cluster.name)).find(Boolean)
    if (reason !== undefined)
      return failure('InvalidCombination', `Certificate ${tls.certificate} ${reason}.`, [{ pointer: at, reason }])
  }
  return undefined
}

function unfit({ spec }: CertificateDocument, host: string): string | undefined {
  if (spec.purpose !== 'gateway-tls') return `is for ${spec.purpose}, not for gateways`
  return spec.dnsNames.some((name) => coversHost(name, host)) ? undefined : `does not cover ${host}`
}

/** A wildcard stands for one label (RFC 6125). */
export function coversHost(name: string, host: string): boolean {
  if (name === host) return true
  return name.startsWith('*.') && !host.startsWith('*.') && host.slice(host.indexOf('.')) === name.slice(1)
}

function misplaced(
  { spec }: CertificateDocument,
  gateway: { readonly namespace: string } | undefined,
  cluster: string,
): string | undefined {
  if (!gateway || spec.secret.namespace === gateway.namespace) return undefined
  return `is brought to namespace ${spec.secret.namespace}, where the gateway of ${cluster} in ${gateway.namespace} cannot read it`
}

function failure(
  code: FailureCode,
  detail: string,
  errors: readonly { readonly pointer: string; readonly reason: string }[],
): Failure | undefined {
  return errors.length === 0 ? undefined : fail(code, detail, { errors }).failure
}
