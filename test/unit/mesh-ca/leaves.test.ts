import { describe, expect, it } from 'vitest'
import { renewedGate } from '../../../src/mesh-ca/gates.ts'
import { leavesFinding } from '../../../src/mesh-ca/leaves-gate.ts'
import type { TrustDocument } from '../../../src/model/documents.ts'
import type { LeavesRound } from '../../../src/model/trust.ts'
import { aSet, at, input, trust } from './gate-input.ts'
import { DAY, HOUR, MINUTE, START } from './world.ts'

const on = { phase: 'renewing', takenAt: at(2 * MINUTE) } as const
/** A quarter of an hour after it was taken; and a day later. */
const SETTLED = 17 * MINUTE
const OVER = DAY + SETTLED

function round(sinceMs: number, change: Partial<LeavesRound> = {}): LeavesRound {
  const all = { read: 3, unread: 0, bySigner: { sb: 3 }, others: [], wanted: 'sb', begun: 'taken' } as const
  return { since: at(sinceMs), at: at(sinceMs + 1000), ...all, ...change }
}

const under = (sinceMs: number, change: Partial<LeavesRound> = {}) => ({ ...round(sinceMs, change), cursor: 'u' })
const FORMER = { bySigner: { sa: 1, sb: 2 }, others: ['shop/web-1'] }

function gateAt(nowMs: number, seen: Partial<TrustDocument>, change: object = {}) {
  const lookedAt = at(nowMs - 1000)
  return renewedGate(input({ on: { ...on, ...change }, now: START + nowMs, trust: trust({ lookedAt, ...seen }) }))
}

describe('leaves at the gate that waits until all are renewed', () => {
  it.each<[string, number, Partial<TrustDocument>, string]>([
    [
      'open it before the TTL, when each was read and is of the new signer',
      HOUR,
      { leaves: round(SETTLED + 1000) },
      'open',
    ],
    [
      'not by a round that began before every replica signs anew',
      HOUR,
      { leaves: round(SETTLED) },
      'wait WaitsForProxies',
    ],
    ['not while one is of the former', HOUR, { leaves: round(SETTLED + 1000, FORMER) }, 'wait WaitsForProxies'],
    ['not while one could not be read', HOUR, { leaves: round(SETTLED + 1000, { unread: 1 }) }, 'wait WaitsForProxies'],
    [
      'not when none was read',
      HOUR,
      { leaves: round(SETTLED + 1000, { read: 0, bySigner: {} }) },
      'wait WaitsForProxies',
    ],
    [
      'not by those that another rotation wanted',
      HOUR,
      { leaves: round(SETTLED + 1000, { wanted: 'sc' }) },
      'wait WaitsForProxies',
    ],
    ['not by a round under way', HOUR, { leavesRound: under(SETTLED + 1000) }, 'wait WaitsForProxies'],
    [
      'not against its metrics',
      HOUR,
      { leaves: round(SETTLED + 1000), istiod: { chainNotAfter: at(365 * DAY) } },
      'hold SignerChanged',
    ],
    [
      'not where machines outside hold certificates that nobody reads',
      HOUR,
      { leaves: round(SETTLED + 1000), pods: { count: 3, others: 'vms' } },
      'wait WaitsForProxies',
    ],
    [
      'not while failures have risen',
      HOUR,
      { leaves: round(SETTLED + 1000), failures: { now: 99, before: 0 } },
      'hold FailuresRisen',
    ],
    [
      'not by a look that failed',
      HOUR,
      { leaves: round(SETTLED + 1000), state: 'failed', reason: 'Unreachable' },
      'wait WaitsForProxies',
    ],
    [
      'hold it after the TTL, when one of the former was read since',
      OVER + MINUTE,
      { leaves: round(OVER + 1000, FORMER) },
      'hold LeavesOfFormer',
    ],
    ['also by a round under way', OVER + MINUTE, { leavesRound: under(OVER + 1000, FORMER) }, 'hold LeavesOfFormer'],
    [
      'and one of a signer that is not known',
      OVER + MINUTE,
      { leaves: round(OVER + 1000, { bySigner: { sb: 2, other: 1 }, others: ['x/y'] }) },
      'hold LeavesOfFormer',
    ],
    ['not by one that was read before', OVER + MINUTE, { leaves: round(OVER - 1000, FORMER) }, 'open'],
    [
      'are waited for while they are being read',
      OVER + MINUTE,
      { leavesRound: under(OVER + 1000) },
      'wait WaitsForLeaves',
    ],
    ['but not for ever', OVER + 16 * MINUTE, { leavesRound: under(OVER + 1000) }, 'open'],
    [
      'tell nothing where none was read: time does',
      OVER + MINUTE,
      { leaves: round(OVER + 1000, { read: 0, unread: 3, bySigner: {} }) },
      'open',
    ],
    ['tell nothing where nobody shakes hands: time does', OVER + MINUTE, {}, 'open'],
    [
      'of Pods that are gone hold nothing, when all were restarted since',
      HOUR,
      { leaves: round(SETTLED + 1000, FORMER), pods: { count: 2, oldestStart: at(30 * MINUTE), others: 'none' } },
      'open',
    ],
  ])('%s', (_, nowMs, seen, expected) => {
    const gate = gateAt(nowMs, seen)
    expect(gate.kind === 'open' ? 'open' : `${gate.kind} ${gate.reason}`).toBe(expected)
  })

  it('say that it was they, how far it is, and which Pods are behind', () => {
    expect(gateAt(HOUR, { leaves: round(SETTLED + 1000) })).toMatchObject({
      note: 'Every Pod with a proxy showed a certificate of the new signer in a handshake.',
    })
    const waits = gateAt(HOUR, { leaves: round(SETTLED + 1000, { ...FORMER, unread: 2 }) })
    const words = 'By handshakes, 2 of 3 Pods show a certificate of it; 2 could not be read.'
    expect(waits).toMatchObject({ message: expect.stringContaining(words) })
    const holds = gateAt(OVER + MINUTE, { leaves: round(OVER + 1000, FORMER) })
    expect(holds).toMatchObject({
      message: expect.stringMatching(/serial sb has not signed: shop\/web-1\..*workloadTtl/),
    })
  })

  it('mean nothing to proxies that are to trust', () => {
    expect(gateAt(HOUR, { leaves: round(SETTLED + 1000) }, { phase: 'trusting' })).toMatchObject({ kind: 'wait' })
    expect(gateAt(OVER + MINUTE, { leaves: round(OVER + 1000, FORMER) }, { phase: 'trusting' })).toMatchObject({
      kind: 'open',
    })
  })
})

describe('leaves while nothing is rotated', () => {
  const current = aSet('sb', 'b')
  it('say that all are of what signs, or which are not', () => {
    expect(leavesFinding(current, { leaves: round(0, { unread: 1 }) })).toMatchObject({
      status: 'True',
      message: 'By handshakes, all 3 Pods that were read show a certificate of serial sb; 1 could not be read.',
    })
    expect(leavesFinding(current, { leaves: round(0, FORMER) })).toMatchObject({
      status: 'False',
      reason: 'OtherLeaves',
    })
    expect(leavesFinding(current, { leaves: round(0, { wanted: 'sa' }) })).toBeUndefined()
    expect(leavesFinding(current, { leaves: round(0, { read: 0, unread: 4 }) })).toBeUndefined()
    expect(leavesFinding(current, {})).toBeUndefined()
  })
})
