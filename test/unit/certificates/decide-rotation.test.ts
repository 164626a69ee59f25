import { beforeAll, describe, expect, it } from 'vitest'
import { decideRotation } from '../../../src/certificates/decide-rotation.ts'
import { policyDigest } from '../../../src/certificates/issue-policy.ts'
import { type Observations, publicPart } from '../../../src/certificates/observations.ts'
import type { CertificateDocument, DeliveryDocument } from '../../../src/model/documents.ts'
import { SCHEDULE } from '../../../src/model/identity.ts'
import { ROTATION_PHASES, type Rotation, type RotationPhase } from '../../../src/model/rotation.ts'
import type { VaultOperation, VaultVersion } from '../../../src/ports/vault.ts'
import type { Trouble } from '../../../src/ports/vault-trouble.ts'
import { MemoryVault } from '../fakes/memory-vault.ts'
import { certificate, createWorld, DAY, HOUR, START } from './world.ts'

const ID = 'web-tls.aaaaaaaaaa'
const NOW = START + 10 * DAY
const OURS: VaultOperation = { state: 'in-progress', csr: 'ours' }

let old: VaultVersion
let made: VaultVersion
let foreign: VaultVersion
let short: VaultVersion
let template: CertificateDocument
beforeAll(async () => {
  const vault = new MemoryVault(() => START)
  old = await vault.addVersion('web-tls', { dnsNames: ['web.example.com'], validForMs: 90 * DAY })
  made = await vault.addVersion('web-tls', {
    dnsNames: ['web.example.com'],
    validForMs: 100 * DAY,
    tags: { 'meshwright-rotation': ID },
  })
  foreign = await vault.addVersion('web-tls', { dnsNames: ['web.example.com'], validForMs: 110 * DAY })
  short = await vault.addVersion('web-tls', { dnsNames: ['web.example.com'], validForMs: 20 * DAY })
  const world = createWorld()
  await world.put()
  template = { ...world.document(), outbox: [] }
})

const issuers = ['self', 'external', 'imported'] as const
type Issuer = (typeof issuers)[number]

/** A certificate whose first version is on both clusters and whose rotation is in a phase; due unless it is `asked`. */
function inPhase(phase: RotationPhase | 'none', issuer: Issuer, asked = false): CertificateDocument {
  const spec = certificate({ issuer: { kind: issuer } })
  const target = { version: old.version, serial: old.serial, revision: 5 }
  const on =
    phase === 'delivering' ? { east: { ...target, version: made.version, serial: made.serial, revision: 6 } } : {}
  const checked = ['checking', 'awaiting-window', 'delivering', 'succeeded'].includes(phase)
  const rotation: Rotation = {
    id: ID,
    phase: phase === 'none' ? 'requested' : phase,
    reason: 'Test',
    message: 'Test.',
    actor: SCHEDULE,
    policy: policyDigest(spec),
    baseVersion: old.version,
    ...(phase === 'awaiting-issuer' ? { csr: OURS.csr } : {}),
    ...(checked ? { candidate: publicPart(made, ID) } : {}),
    released: phase === 'delivering' ? ['east'] : [],
    ...(phase === 'delivering' ? { releasedAt: new Date(NOW - HOUR).toISOString() } : {}),
    startedAt: new Date(START).toISOString(),
    phaseSince: new Date(START).toISOString(),
    attempts: 0,
    ...(asked ? { askedUntil: new Date(NOW + 30_000).toISOString() } : {}),
  }
  const { rotation: _rotation, dueAt: _dueAt, ...rest } = template
  return {
    ...rest,
    spec,
    current: publicPart(old),
    targets: { east: target, west: target, ...on },
    revision: 6,
    ...(phase === 'none' ? {} : { rotation }),
    dueAt: new Date(asked ? NOW + 30_000 : NOW - 1000).toISOString(),
  }
}

const trouble = (kind: Trouble['kind']): Trouble => ({ kind, reason: 'X', message: 'x' })
const vaults = (): Readonly<Record<string, Observations['vault']>> => ({
  empty: {},
  old: { newest: old, candidate: old },
  made: { newest: made, tagged: made, candidate: made },
  'made, and a newer one of another hand': { newest: foreign, tagged: made, candidate: made },
  foreign: { newest: foreign },
  short: { newest: short },
  'made and disabled': {
    newest: { ...made, enabled: false },
    tagged: { ...made, enabled: false },
    candidate: { ...made, enabled: false },
  },
  'our operation': { newest: old, operation: OURS },
  'another operation': { newest: old, operation: { state: 'in-progress', csr: 'theirs' } },
  failed: { newest: old, operation: { state: 'failed', csr: 'ours', error: 'no' } },
  cancelled: { newest: old, operation: { state: 'cancelled', csr: 'ours' } },
  completed: { newest: old, operation: { state: 'completed', csr: 'ours' } },
  throttled: trouble('throttled'),
  unavailable: trouble('unavailable'),
  denied: trouble('denied'),
})

function delivery(document: CertificateDocument, cluster: string, state: DeliveryDocument['state']): DeliveryDocument {
  const at = new Date(NOW - 1000).toISOString()
  const target = document.targets[cluster]
  const object = { apiVersion: 'v1', kind: 'Secret', namespace: 'ingress', name: 'web-tls', uid: cluster }
  return {
    kind: 'delivery',
    ...{ schema: 1, outbox: [], createdAt: at, updatedAt: at },
    ...{ certificate: 'web-tls', cluster, state, reason: 'Test', message: 'Test.', attempts: 0, objects: [object] },
    ...(state === 'delivered' && target ? { written: target, deliveredAt: at } : {}),
  }
}

const deliveries = (document: CertificateDocument): Readonly<Record<string, readonly DeliveryDocument[]>> => ({
  none: [],
  delivered: ['east', 'west'].map((cluster) => delivery(document, cluster, 'delivered')),
  'key refused': [{ ...delivery(document, 'east', 'failed'), reason: 'KeyMismatch' }],
  'one failed': [delivery(document, 'east', 'failed'), delivery(document, 'west', 'delivered')],
})

const windows = [{ open: true }, { open: false, opensAt: NOW + HOUR }]

/** Every combination of what can be seen with a document. */
function* everything(document: CertificateDocument): Generator<readonly [string, Observations]> {
  for (const [name, vault] of Object.entries(vaults())) {
    for (const [state, held] of Object.entries(deliveries(document))) {
      for (const window of windows) yield [`${name}, ${state}`, { now: NOW, vault, deliveries: held, window }]
    }
  }
}

const cases = [...ROTATION_PHASES, 'none' as const].flatMap((phase) =>
  issuers.flatMap((issuer) => [true, false].map((asked) => ({ phase, issuer, asked }))),
)

describe('a decision', () => {
  it.each(cases)(
    'in phase $phase of issuer $issuer (asked: $asked) is made whatever is seen',
    ({ phase, issuer, asked }) => {
      for (const deleting of [false, true]) {
        const base = inPhase(phase, issuer, asked)
        const gone = { targets: {}, clusters: [], leaving: ['east'], deletingAt: new Date(NOW).toISOString() }
        const before = deleting ? { ...base, ...gone } : base
        for (const [name, seen] of everything(before)) {
          const decision = decideRotation(before, seen)
          expect(decideRotation(before, seen), `${name}: pure`).toEqual(decision)
          if (decision.kind !== 'write') continue
          const { document, effect } = decision
          // What is left to do has a time, or nothing is.
          const live = !['succeeded', 'failed', undefined].includes(document.rotation?.phase)
          const renews = issuer !== 'imported' && !deleting
          if ((live && seen.window.open) || renews || effect) expect(document.dueAt, name).toBeDefined()
          if (document.dueAt !== undefined) expect(Date.parse(document.dueAt)).toBeGreaterThanOrEqual(NOW)
          if (effect) {
            expect(Date.parse(document.dueAt ?? ''), `${name}: nobody else asks at once`).toBeGreaterThan(NOW)
            const again = decideRotation({ ...document, outbox: [] }, seen)
            expect(again.kind === 'write' && again.effect?.kind === effect.kind, `${name}: asked once`).toBe(false)
          }
          if (effect?.kind === 'create') expect(document.rotation?.phase).toBe('creating')
          expect(document.revision).toBeGreaterThanOrEqual(before.revision)
          expect(new Set(document.outbox.map(({ id }) => id)).size).toBe(document.outbox.length)
        }
      }
    },
  )

  const decided = (document: CertificateDocument, vault: Observations['vault'], more: Partial<Observations> = {}) => {
    const seen = { now: NOW, vault, deliveries: deliveries(document).delivered ?? [], window: { open: true }, ...more }
    const decision = decideRotation(document, seen)
    if (decision.kind !== 'write') return decision.kind
    const { rotation } = decision.document
    return `${rotation?.phase} ${rotation?.reason}${decision.effect ? ` → ${decision.effect.kind}` : ''}`
  }

  it.each([
    ['requested', 'self', 'old', 'creating Asked → create'],
    ['requested', 'external', 'empty', 'creating Asked → create'],
    ['requested', 'imported', 'old', 'failed NothingNew'],
    ['requested', 'self', 'foreign', 'delivering Released'],
    ['requested', 'self', 'short', 'creating Asked → create'],
    ['requested', 'self', 'another operation', 'requested OperationPending'],
    ['requested', 'self', 'throttled', 'requested X'],
    ['requested', 'self', 'denied', 'requested X'],
    ['creating', 'self', 'old', 'creating Asked → create'],
    ['creating', 'self', 'made', 'delivering Released'],
    ['creating', 'self', 'our operation', 'creating WaitsForIssuer'],
    ['creating', 'external', 'our operation', 'awaiting-issuer WaitsForIssuer'],
    ['creating', 'self', 'failed', 'failed OperationFailed'],
    ['creating', 'self', 'cancelled', 'failed OperationCancelled'],
    ['creating', 'self', 'completed', 'creating WaitsForIssuer'],
    ['creating', 'self', 'made and disabled', 'failed VersionDisabled'],
    ['awaiting-issuer', 'external', 'our operation', 'awaiting-issuer Test'],
    ['awaiting-issuer', 'external', 'old', 'failed OperationGone'],
    ['awaiting-issuer', 'external', 'another operation', 'failed OperationGone'],
    ['awaiting-issuer', 'external', 'made', 'delivering Released'],
    ['checking', 'self', 'made', 'delivering Released'],
    ['checking', 'self', 'old', 'failed VersionGone'],
    ['awaiting-window', 'self', 'made', 'delivering Released'],
    ['awaiting-window', 'self', 'made, and a newer one of another hand', 'checking NewVersion'],
    ['delivering', 'self', 'made', 'delivering Released'],
    ['delivering', 'self', 'made and disabled', 'failed VersionDisabled'],
    ['none', 'self', 'foreign', 'checking NewVersion'],
  ] as const)('in phase %s of issuer %s, seeing %s, is %s', (phase, issuer, vault, expected) => {
    expect(decided(inPhase(phase, issuer), vaults()[vault] ?? {})).toBe(expected)
  })

  it('while another worker may be asking asks nothing', () => {
    for (const issuer of ['self', 'external'] as const) {
      expect(decided(inPhase('creating', issuer, true), { newest: old })).not.toMatch(/→/)
    }
  })

  it('outside of a window releases nothing more', () => {
    const closed = { window: { open: false, opensAt: NOW + HOUR } }
    expect(decided(inPhase('awaiting-window', 'self'), vaults().made ?? {}, closed)).toBe(
      'awaiting-window WaitsForWindow',
    )
    expect(decided(inPhase('delivering', 'self'), vaults().made ?? {}, closed)).toBe('delivering WaitsForWindow')
  })
})
