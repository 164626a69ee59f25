import { describe, expect, it } from 'vitest'
import type { WorkloadUnderWay } from '../../../../src/model/restarts.ts'
import { settleUnderWay } from '../../../../src/reconcile/restarts/under-way.ts'
import type { Workload } from '../../../../src/reconcile/restarts/workload.ts'
import { aWorkload } from './workloads.ts'

const NOW = Date.parse('2026-05-01T10:10:00.000Z')
const SINCE = '2026-05-01T10:09:00.000Z'
const INTENT = { olderThan: '2026-05-01T10:00:00.000Z' }

function entry(change: Partial<WorkloadUnderWay> = {}): WorkloadUnderWay {
  return { kind: 'Deployment', namespace: 'shop', name: 'web', uid: 'uid-shop-web', since: SINCE, ...change }
}

/** What becomes of one that was recorded. */
function fate(recorded: WorkloadUnderWay, workloads: readonly Workload[], change: { mayAsk?: boolean } = {}): string {
  const input = { underWay: [recorded], workloads, intent: INTENT, mayAsk: true, readyTimeoutMs: 600_000, now: NOW }
  const { stays, ask, through, stuck } = settleUnderWay({ ...input, ...change })
  if (stuck) return 'stuck'
  if (ask.length > 0) return 'asked for'
  if (through.length > 0) return 'through'
  return stays.length > 0 ? 'stays' : 'gone'
}

const restarted = { restartedAt: SINCE }
const LONG_AGO = '2026-05-01T10:00:00.001Z'

describe('a workload that was begun', () => {
  it.each<[string, WorkloadUnderWay, Partial<Workload>, string]>([
    ['is asked for when the cluster does not show it', entry(), {}, 'asked for'],
    ['is asked for when another restarted it before', entry(), { restartedAt: '2026-05-01T10:08:59Z' }, 'asked for'],
    ['stays while its Pods are replaced', entry(), { ...restarted, isRolledOut: false }, 'stays'],
    ['stays while a Pod is left that was there before', entry(), { ...restarted, old: 1 }, 'stays'],
    ['is through when it is ready and none is left', entry(), { ...restarted, old: 0 }, 'through'],
    ['is through when another restarted it later', entry(), { restartedAt: '2026-05-01T10:09:30Z', old: 0 }, 'through'],
    ['is never asked for twice, though another took the mark away', entry({ written: true }), {}, 'stays'],
    ['is through without the mark too', entry({ written: true }), { old: 0 }, 'through'],
    ['waits when it got trouble before it was asked for', entry(), { problem: 'not whole' }, 'stays'],
    ['is let go then, when no dead worker may ask any more', entry({ since: LONG_AGO }), { problem: 'x' }, 'gone'],
    ['is let go when it is held then', entry({ since: LONG_AGO }), { cannot: 'held' }, 'gone'],
    ['is gone when it was made anew', entry({ uid: 'other' }), {}, 'gone'],
    [
      'is stuck when it is not ready in time',
      entry({ since: '2026-05-01T09:59:59.999Z', written: true }),
      { isRolledOut: false },
      'stuck',
    ],
    [
      'is through for a phase before when it is ready',
      entry({ since: '2026-05-01T09:30:00Z', written: true }),
      {},
      'through',
    ],
  ])('%s', (_, recorded, change, expected) => {
    expect(fate(recorded, [aWorkload(change)])).toBe(expected)
  })

  it('is not asked for while nothing may be, and let go in the end', () => {
    expect(fate(entry(), [aWorkload()], { mayAsk: false })).toBe('stays')
    expect(fate(entry({ since: LONG_AGO }), [aWorkload()], { mayAsk: false })).toBe('gone')
  })

  it('is not asked for while one that was begun with it is not ready', () => {
    const pay = aWorkload({ namespace: 'pay', restartedAt: SINCE })
    const underWay = [entry(), entry({ namespace: 'pay', uid: pay.uid })]
    const input = { underWay, intent: INTENT, mayAsk: true, readyTimeoutMs: 600_000, now: NOW }
    expect(settleUnderWay({ ...input, workloads: [aWorkload(), pay] }).ask).toEqual([])
    const after = settleUnderWay({ ...input, workloads: [aWorkload(), { ...pay, old: 0 }] })
    expect(after.through).toHaveLength(1)
    expect(after.ask.map(({ entry: { namespace } }) => namespace)).toEqual(['shop'])
  })
})
