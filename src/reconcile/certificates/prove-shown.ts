import type { CertificateSpec } from '../../model/certificate.ts'
import { describeRef } from '../../model/kube.ts'
import type { ShownCertificate } from '../../ports/handshake.ts'
import { LOOK_AGAIN_MS } from '../situation.ts'
import type { DeliveryPass, Told } from './delivery-pass.ts'
import type { DeliveryScene } from './delivery-scene.ts'
import { type GatewayAddress, gatewayAddresses } from './gateway-addresses.ts'
import { secretRef } from './render.ts'

/** So long a gateway is given to show what the Secret holds before people are told. */
export const SHOWN_WITHIN_MS = 180_000
const LOOK_EVERY_MS = 3000

/**
 * What the gateway shows, once the Secret holds the wanted serial. What was proven is not looked at again. A gateway that
 * cannot be reached from here is no failure: then the Secret alone counts, as it does for workloads, which read it themselves. `isNew`: it was written just now. Throws PortError.
 */
export async function proveShown(scene: DeliveryScene, serial: string, isNew: boolean): Promise<DeliveryPass> {
  const { before, wanted, now } = scene
  const settled = before?.state === 'delivered' && before.written?.revision === wanted.target.revision
  if (settled && !isNew)
    return { state: 'delivered', reason: before.reason, message: before.message, heldSerial: serial }
  const seen = wanted.spec.purpose === 'workload-tls' ? [] : await lookAtGateways(scene)
  const waited = isNew || before?.writtenAt === undefined ? 0 : now - Date.parse(before.writtenAt)
  const pass = judge(scene, serial, seen, waited < SHOWN_WITHIN_MS)
  const told = toldOf(scene, pass)
  return { ...pass, heldSerial: serial, ...(told === undefined ? {} : { told: [told] }) }
}

interface Seen extends GatewayAddress {
  readonly shown: ShownCertificate
}

async function lookAtGateways({ deps, api, wanted }: DeliveryScene): Promise<readonly Seen[]> {
  const { probe, secret } = wanted.spec
  const addresses = probe ? [probe] : await gatewayAddresses(api, secret.namespace)
  const name = serverName(wanted.spec)
  const looks = addresses.map(async ({ host, port }) => {
    const shown = await deps.handshakes.look(host, port, name)
    return shown ? [{ host, port, shown }] : []
  })
  return (await Promise.all(looks)).flat()
}

function judge(scene: DeliveryScene, serial: string, seen: readonly Seen[], early: boolean): DeliveryPass {
  const { wanted, before, now } = scene
  const secret = describeRef(secretRef(wanted))
  const name = serverName(wanted.spec)
  const other = seen.find(({ shown }) => shown.serial !== serial)
  if (other) {
    const where = `${other.host}:${other.port}`
    const message = `${secret} holds serial ${serial}; the gateway at ${where} shows ${other.shown.serial} for ${name}.`
    const waiting = { state: 'waiting', shownSerial: other.shown.serial } as const
    if (early) return { ...waiting, reason: 'Proving', message, again: now + LOOK_EVERY_MS }
    const wayOut = 'Does its Gateway name this Secret? "probe" names another place to look.'
    return { ...waiting, reason: 'NotShownYet', message: `${message} ${wayOut}`, again: now + LOOK_AGAIN_MS }
  }
  if (seen.length > 0) {
    const message = `${secret} holds serial ${serial}, and the gateway shows it for ${name}.`
    return { state: 'delivered', reason: 'Shown', message, shownSerial: serial }
  }
  if (early && before?.shownSerial !== undefined) {
    const message = `${secret} holds serial ${serial}; the gateway does not answer now.`
    return { state: 'waiting', reason: 'GatewayUnreachable', message, again: now + LOOK_EVERY_MS }
  }
  const why =
    wanted.spec.purpose === 'workload-tls'
      ? 'Workloads read it themselves: no handshake was made.'
      : 'The gateway cannot be reached from here, so no handshake was made.'
  const message = `${secret} holds serial ${serial}. ${why}`
  return { state: 'delivered', reason: 'SecretHoldsIt', message, shownSerial: null }
}

function toldOf({ before, wanted, cluster }: DeliveryScene, pass: DeliveryPass): Told | undefined {
  const { state, reason, message } = pass
  if (state === 'delivered') {
    if (before?.state === state && before.written?.revision === wanted.target.revision) return undefined
    const words = `Certificate ${wanted.name} is delivered to ${cluster.name}. ${message}`
    return { type: 'certificate.delivered', reason, message: words }
  }
  if (reason !== 'NotShownYet' || before?.reason === reason) return undefined
  return { type: 'certificate.not-shown', reason, message }
}

/** The first name that can be asked for as it is; under a wildcard, one that it covers. */
function serverName({ dnsNames }: Pick<CertificateSpec, 'dnsNames'>): string {
  const plain = dnsNames.find((name) => !name.startsWith('*.'))
  return plain ?? (dnsNames[0] ?? '').replace(/^\*\./, 'www.')
}
