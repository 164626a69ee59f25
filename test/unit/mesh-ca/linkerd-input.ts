import { textHash } from '../../../src/mesh/linkerd/identity.ts'
import type { Gate, GateInput } from '../../../src/mesh-ca/gates.ts'
import type { CaPhase, CaRotation } from '../../../src/model/ca-rotation.ts'
import type { CaCertificate, CaSet } from '../../../src/model/mesh-ca.ts'
import type { TrustState } from '../../../src/model/trust.ts'
import { DAY, MINUTE, START } from './world.ts'

export const at = (ms: number) => new Date(START + ms).toISOString()
export const SECOND = 1000

export function certificate(name: string, endsIn = 365 * DAY): CaCertificate {
  return { serial: name, fingerprint: name, subject: name, notBefore: at(-DAY), notAfter: at(endsIn) }
}

export function aSet(signer: string, rootCert: string, endsIn?: number): CaSet {
  return {
    ...{ rootCert, caCert: signer, certChain: signer, roots: [certificate('a')], signer: certificate(signer, endsIn) },
    versions: { rootCert: `${signer}1`, caCert: `${signer}2`, certChain: `${signer}3`, caKey: `${signer}4` },
  }
}

export const FROM = aSet('sa', 'A\n')
export const FOUND: CaSet = { ...FROM, versions: { rootCert: '', caCert: '', certChain: '', caKey: '' } }
export const WIDE = 'A\nB\n'
export const ACTOR = { kind: 'person', id: 'ada', name: 'Ada' } as const

export function rotation(phase: CaPhase, change: Partial<CaRotation> = {}): CaRotation {
  return {
    ...{ id: 'east-ca.r1', what: 'root', phase, direction: 'on', reason: 'r', message: 'm', actor: ACTOR, attempts: 0 },
    ...{ from: FROM, root: { certificate: certificate('b'), pem: 'B\n' }, startedAt: at(0), phaseSince: at(0) },
    ...{ writtenAt: at(MINUTE), written: aSet('sb', WIDE, 100 * DAY) },
    ...change,
  }
}

const { written: _written, ...NOT_WRITTEN } = rotation('widening')
/** Of a rotation that takes over, before the vault was written. */
export const TAKEN = { ...NOT_WRITTEN, from: FOUND, written: undefined } as unknown as Partial<CaRotation>

export type Change = Partial<TrustState> & {
  /** Time of the decision, in milliseconds from the start. */
  readonly now?: number
  readonly on?: Partial<CaRotation>
  /** The text that the phase wants. */
  readonly text?: string
}

/** All is as it should be in a phase, but for the change. What was written a minute after the start was brought 10 s later. */
export function input(phase: CaPhase, { now = 10 * MINUTE, on, text, ...seen }: Change = {}): GateInput {
  const wants = text ?? (phase === 'narrowing' ? 'B\n' : WIDE)
  const delivered = { revision: 7, anchors: textHash(wants), issuer: 'sb', at: at(MINUTE + 10 * SECOND) }
  const started = at(5 * MINUTE)
  return {
    rotation: rotation(phase, on),
    wanted: { rootCert: wants, roots: [], exact: phase === 'narrowing', signer: 'keep' },
    revision: 7,
    workloadTtlMs: DAY,
    now: START + now,
    trust: {
      ...{ schema: 1, kind: 'trust', outbox: [], createdAt: at(0), updatedAt: at(0), ca: 'east-ca', cluster: 'east' },
      ...{
        state: 'seen',
        reason: 'Seen',
        message: 'Seen.',
        lookedAt: at(9 * MINUTE),
        bundles: [],
        without: [],
        attempts: 0,
      },
      ...{ pods: { count: 3, oldestStart: started }, controlPlane: { count: 3, oldestStart: started } },
      ...{ anchors: { [textHash(wants)]: 3 }, delivered },
      ...seen,
    },
  }
}

export const delivered = (change: object, text = WIDE) => ({
  delivered: { revision: 7, anchors: textHash(text), issuer: 'sb', at: at(MINUTE), ...change },
})
export const updated = (ms: number, skippedMs?: number) => {
  const skipped = skippedMs === undefined ? {} : { skipped: { at: at(skippedMs), message: 'could not be read' } }
  return {
    issuerEvent: { reason: 'IssuerUpdated', at: at(ms), message: 'Updated identity issuer', ...skipped },
  } as const
}
export const skipped = (ms: number) =>
  ({ issuerEvent: { reason: 'IssuerUpdateSkipped', at: at(ms), message: 'could not be read' } }) as const
export const old = { controlPlane: { count: 3, oldestStart: at(-DAY) } }
export const word = (gate: Gate | undefined) =>
  gate === undefined || gate.kind === 'open' ? (gate?.kind ?? 'none') : `${gate.kind} ${gate.reason}`
