import { describe, expect, it } from 'vitest'
import { nextDue, rootLeadMs, signerLeadMs } from '../../../src/mesh-ca/renewal.ts'
import type { CaRotation } from '../../../src/model/ca-rotation.ts'
import type { CaCertificate, CaSet } from '../../../src/model/mesh-ca.ts'
import { aSpec, createWorld, DAY, HOUR, START } from './world.ts'

const MINUTES_15 = 15 * 60_000

function lasting(days: number, fingerprint = 'f', beganDays = 0): CaCertificate {
  const at = (ms: number) => new Date(ms).toISOString()
  const from = START + beganDays * DAY
  return { serial: fingerprint, fingerprint, subject: 'CN=x', notBefore: at(from), notAfter: at(from + days * DAY) }
}

function aSet(signer: CaCertificate, roots: readonly CaCertificate[], base?: string): CaSet {
  const versions = { rootCert: '1', caCert: '1', certChain: '1', caKey: '1' }
  const texts = { rootCert: '', caCert: '', certChain: '' }
  return { ...texts, versions, roots, signer, ...(base === undefined ? {} : { base }) }
}

const ended = (what: CaRotation['what'], phase: 'failed' | 'succeeded') =>
  ({ what, phase, startedAt: new Date(START).toISOString() }) as CaRotation

describe('the next signer is made', () => {
  it.each([
    ['a third before the end', {}, 90, 30 * DAY],
    ['as the spec says', { renewBefore: '240h' }, 90, 10 * DAY],
    [
      'never so late that workloads hold leaves of one that has ended',
      { renewBefore: '1h' },
      90,
      DAY + MINUTES_15 + DAY,
    ],
    ['earlier for longer leaves', { renewBefore: '1h', workloadTtl: '720h' }, 90, 30 * DAY + MINUTES_15 + DAY],
    ['in the last two thirds of its life at the earliest', { renewBefore: '2000h' }, 90, 60 * DAY],
  ])('%s', (_, change, days, lead) => {
    expect(signerLeadMs(aSpec(change), lasting(days))).toBe(lead)
  })

  it('and the next root so early that all are renewed twice', () => {
    expect(rootLeadMs(aSpec(), lasting(3650))).toBe((3650 * DAY) / 3)
    expect(rootLeadMs(aSpec({ workloadTtl: '720h' }), lasting(180))).toBe(60 * DAY + 2 * MINUTES_15 + 2 * DAY)
  })
})

describe('what is rotated next by itself', () => {
  const spec = aSpec()

  it('is told by the root that the signer rests on, not by one that is trusted besides', () => {
    const set = aSet(lasting(365, 's'), [lasting(10, 'old'), lasting(3650, 'base')], 'base')
    expect(nextDue({ spec, history: [] }, set)).toMatchObject({ what: 'intermediate' })
  })

  it('is the root first; but a signer that is due does not wait for a root that cannot be rotated', () => {
    const set = aSet(lasting(365, 's', 200), [lasting(300, 'base')], 'base')
    const late = START + 480 * DAY
    expect(nextDue({ spec, history: [] }, set, late)).toMatchObject({ what: 'root' })
    expect(nextDue({ spec, history: [ended('root', 'failed')] }, set, late)).toMatchObject({ what: 'intermediate' })
    expect(nextDue({ spec, history: [ended('root', 'failed')] }, set, START + 250 * DAY)).toMatchObject({
      what: 'root',
    })
    expect(nextDue({ spec, history: [ended('intermediate', 'succeeded')] }, set, late)).toMatchObject({ what: 'root' })
  })

  it('is never a root that another CA makes', () => {
    const set = aSet(lasting(365, 's'), [lasting(30, 'base')], 'base')
    expect(nextDue({ spec: aSpec({ root: { kind: 'external' } }), history: [] }, set).what).toBe('intermediate')
  })
})

describe('what has ended', () => {
  it('is renewed all the same, once the vault signs again', async () => {
    const world = createWorld()
    await world.established({ intermediate: { key: 'P-256', validity: '240h' } })
    world.vault.interrupt = (call) => {
      if (call.startsWith('sign')) throw new Error('no answer')
    }
    for (let day = 0; day < 12; day += 1) {
      world.pass(DAY)
      await world.advance().catch(() => undefined)
    }
    const ended = world.document().current?.signer.serial
    expect(Date.parse(world.document().current?.signer.notAfter ?? '')).toBeLessThan(world.now())
    world.vault.interrupt = () => undefined
    await world.live(2 * DAY, HOUR)
    const { current, rotation } = world.document()
    expect([rotation?.what, current?.signer.serial === ended]).toEqual(['intermediate', false])
    expect(Date.parse(current?.signer.notAfter ?? '')).toBeGreaterThan(world.now())
  })
})
