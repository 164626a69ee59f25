import { setTimeout as sleep } from 'node:timers/promises'
import type { Rest } from './rest.ts'
import type { Screen } from './screen.ts'

const CERTIFICATE = '/certificates/web-tls'
const LOOK_EVERY_MS = 250
const PATIENCE_MS = 60_000

interface CertificateShown {
  readonly phase: string
  readonly serial: string | null
  readonly notAfter: string | null
  readonly rotation?: { readonly message: string }
}

interface DeliveryShown {
  readonly cluster: string
  readonly state: string
  readonly held?: string
}

/** What the job needs of the demo. */
export interface CertificateRun {
  readonly meshwright: Rest
  readonly screen: Screen
  readonly clusters: readonly string[]
  readonly signal: AbortSignal
}

/**
 * Registers a gateway certificate, waits until every cluster holds it, and rotates it. Answers the line that says so; throws
 * when a cluster does not hold the new one.
 */
export async function rotateCertificate(run: CertificateRun): Promise<string> {
  const { meshwright, screen, clusters } = run
  await meshwright.call('PUT', CERTIFICATE, {
    purpose: 'gateway-tls',
    team: 'shop',
    dnsNames: ['web.example.com'],
    clusters,
    secret: { namespace: 'aks-istio-ingress', name: 'web-tls' },
    issuer: { kind: 'self' },
  })
  const first = await settled(run)
  screen.say(
    `  certificate web-tls from the vault is in the gateways' Secret on ${clusters.join(' and ')}: ${first.serial}`,
  )
  await meshwright.call('POST', `${CERTIFICATE}/rotate`, {})
  const second = await settled(run, first.serial)
  const { value } = await meshwright.call<{ value: readonly DeliveryShown[] }>('GET', `${CERTIFICATE}/deliveries`)
  const behind = value.find(({ held }) => held !== second.serial)
  if (behind || value.length !== clusters.length) throw new Error(`web-tls is not everywhere: ${JSON.stringify(value)}`)
  return `rotated: web-tls from ${first.serial} to ${second.serial} on ${clusters.join(' and ')}, good until ${second.notAfter}`
}

/** The certificate once its rotation has succeeded and it is not `before`. */
async function settled(
  { meshwright, signal }: CertificateRun,
  before: string | null = null,
): Promise<CertificateShown> {
  const deadline = Date.now() + PATIENCE_MS
  for (;;) {
    const certificate = await meshwright.call<CertificateShown>('GET', CERTIFICATE)
    const { phase, serial, rotation } = certificate
    if (phase === 'succeeded' && serial !== null && serial !== before) return certificate
    if (phase === 'failed' || Date.now() > deadline) throw new Error(`web-tls is ${phase}: ${rotation?.message}`)
    await sleep(LOOK_EVERY_MS, undefined, { signal })
  }
}
