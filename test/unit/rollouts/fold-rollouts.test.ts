import { describe, expect, it } from 'vitest'
import type { ServiceDocument } from '../../../src/model/documents.ts'
import { MESHWRIGHT } from '../../../src/model/identity.ts'
import type { Rollout } from '../../../src/model/rollout.ts'
import { foldRollouts } from '../../../src/rollouts/fold-rollouts.ts'
import { askTraffic, enter, rollBack } from '../../../src/rollouts/transition.ts'
import { aService, eventsIn, spec, workIn } from '../fakes/documents.ts'
import { aProgress, aRollout, aTarget, aVerdict, bothClusters, later, MINUTE, SECOND, T0 } from './fixture.ts'

const NOW = T0 + 2 * MINUTE
const cause = { actor: MESHWRIGHT, reason: 'Because', message: 'because' }

/** The service after one of its rollouts became another. */
function fold(before: Rollout, after: Rollout, change: Partial<ServiceDocument> = {}): ServiceDocument {
  return foldRollouts(aService({ renderRevision: 102, rollouts: [before], ...change }), [after], NOW)
}

describe('rollouts that did not move', () => {
  it('leave the document as it is: the same object, so nothing is written', () => {
    const service = aService({ rollouts: [aRollout('paused'), aRollout('progressing', { id: 'shop.web.k4' })] })
    expect(foldRollouts(service, [...service.rollouts], NOW)).toBe(service)
  })
})

describe('the render revision', () => {
  const before = aRollout('progressing')

  it('rises with a weight, and the rollout knows the one that carries it', () => {
    const after = fold(before, askTraffic(before, { weight: 50 }, NOW))
    expect(after).toMatchObject({ renderRevision: 103, rollouts: [{ revision: 103, weight: 50 }] })
    expect(workIn(after.outbox)).toEqual(['urgent reconcile east', 'urgent reconcile west', 'urgent advance'])
    expect(after.outbox.map(({ id }) => id).slice(0, 2)).toEqual(['reconcile.east.103', 'reconcile.west.103'])
  })

  it('rises with the same weight asked anew', () => {
    expect(fold(before, askTraffic(before, { weight: 10 }, NOW))).toMatchObject({
      renderRevision: 103,
      rollouts: [{ revision: 103 }],
    })
  })

  it('stays with words, times, looks and pauses', () => {
    for (const change of [{ message: 'other' }, { nextAttemptAt: later(5 * MINUTE) }, { progress: bothClusters() }]) {
      expect(fold(before, { ...before, ...change })).toMatchObject({
        renderRevision: 102,
        rollouts: [{ revision: 102 }],
      })
    }
    expect(fold(before, enter(before, 'stuck', cause, NOW))).toMatchObject({ renderRevision: 102 })
  })

  it('rises at the end, when the route names one version again', () => {
    const baking = aRollout('baking')
    const after = fold(baking, enter(baking, 'baked', cause, NOW))
    expect(after.renderRevision).toBe(103)
    expect(workIn(after.outbox)).toEqual(['urgent reconcile east', 'urgent reconcile west'])
  })

  it('rises once for several rollouts, each of which knows it', () => {
    const other = aRollout('progressing', { id: 'shop.web.k4', targets: [aTarget('north', 10)] })
    const service = aService({ renderRevision: 102, rollouts: [before, other] })
    const after = foldRollouts(
      service,
      [askTraffic(before, { weight: 50 }, NOW), askTraffic(other, { weight: 50 }, NOW)],
      NOW,
    )
    expect(after).toMatchObject({ renderRevision: 103, rollouts: [{ revision: 103 }, { revision: 103 }] })
  })

  it('of a rollout that did not move stays its own', () => {
    const other = aRollout('progressing', { id: 'shop.web.k4', targets: [aTarget('north', 10)] })
    const service = aService({ renderRevision: 102, rollouts: [before, other] })
    const after = foldRollouts(service, [askTraffic(before, { weight: 50 }, NOW), other], NOW)
    expect(after.rollouts[1]).toBe(other)
    expect(workIn(after.outbox)).not.toContain('urgent reconcile north')
  })
})

describe('stable', () => {
  const v1 = { east: { stable: 'v1' }, west: { stable: 'v1' } }
  const v2 = { east: { stable: 'v2' }, west: { stable: 'v2' } }

  it('moves in the write that enters the bake', () => {
    const before = aRollout('promoting')
    expect(fold(before, enter(before, 'promoted', cause, NOW))).toMatchObject({ targets: v2 })
  })

  it('moves back in the write that starts the way back out of the bake', () => {
    const before = aRollout('baking')
    const after = fold(before, rollBack(before, 'harm', cause, NOW), { targets: v2 })
    expect(after).toMatchObject({ targets: v1, rollouts: [{ phase: 'rolling-back', weight: 0 }] })
  })

  it('stays the candidate when the bake ends, pauses or cannot see', () => {
    const before = aRollout('baking')
    for (const event of ['baked', 'stuck', 'metrics-missing'] as const) {
      expect(fold(before, enter(before, event, cause, NOW), { targets: v2 })).toMatchObject({ targets: v2 })
    }
  })

  it('is what each cluster had, which may differ', () => {
    const targets = [aTarget('east', 100), { ...aTarget('west', 100), stable: 'v0' }]
    const before = aRollout('baking', { targets })
    const after = fold(before, rollBack(before, 'abort', cause, NOW), { targets: v2 })
    expect(after.targets).toEqual({ east: { stable: 'v1' }, west: { stable: 'v0' } })
  })

  it('does not come back to a cluster that the service has left', () => {
    const before = aRollout('rolling-back')
    const after = fold(before, enter(before, 'way-back-live', cause, NOW), { targets: { east: { stable: 'v1' } } })
    expect(after.targets).toEqual({ east: { stable: 'v1' } })
  })
})

describe('when a rollout is looked at again', () => {
  const before = aRollout('progressing', { nextAttemptAt: later(0) })

  it('is in the document and on the queue', () => {
    const after = fold(before, { ...before, nextAttemptAt: later(3 * MINUTE) })
    expect(after).toMatchObject({ dueAt: later(3 * MINUTE), rollouts: [{ nextAttemptAt: later(3 * MINUTE) }] })
    expect(after.outbox).toEqual([
      {
        id: `advance.shop.web.k3.${later(3 * MINUTE)}`,
        kind: 'work',
        queue: 'urgent',
        message: { kind: 'advance', service: 'shop/web' },
        notBefore: later(3 * MINUTE),
      },
    ])
  })

  it('is at once for what became due while it was looked at', () => {
    expect(fold(before, { ...before, nextAttemptAt: later(MINUTE) }).dueAt).toBe(later(2 * MINUTE))
  })

  it('is soon for one that moves and has no time of its own', () => {
    const { nextAttemptAt: _, ...moved } = askTraffic(before, { weight: 50 }, NOW)
    expect(fold(before, moved)).toMatchObject({ dueAt: later(2 * MINUTE + 15 * SECOND) })
  })

  it('is a minute later for one that waits for a person while its gates have something to see', () => {
    const after = fold(before, enter(before, 'stuck', cause, NOW), { dueAt: later(0) })
    expect(after).toMatchObject({ dueAt: later(NOW - T0 + MINUTE) })
  })

  it('is never for one that waits for a person and has no gates', () => {
    const ungated = { ...before, gates: [] }
    const after = fold(ungated, enter(ungated, 'stuck', cause, NOW), { dueAt: later(0) })
    expect(after).not.toHaveProperty('dueAt')
    expect(workIn(after.outbox)).toEqual([])
  })

  it('is the first of all its rollouts for the document', () => {
    const other = aRollout('progressing', { id: 'shop.web.k4', nextAttemptAt: later(3 * MINUTE) })
    const service = aService({ rollouts: [before, other], dueAt: later(0) })
    const after = foldRollouts(service, [{ ...before, nextAttemptAt: later(9 * MINUTE) }, other], NOW)
    expect(after.dueAt).toBe(later(3 * MINUTE))
    // The other one's message is on its way already.
    expect(workIn(after.outbox)).toEqual(['urgent advance'])
  })
})

describe('what is told', () => {
  it('every transition once, with who, why and where it stood', () => {
    const before = aRollout('progressing', { source: { commit: 'abc' } })
    const paused = enter(before, 'stuck', cause, NOW)
    const after = fold(before, paused)
    expect(eventsIn(after.outbox)).toEqual(['rollout.paused'])
    expect(after.outbox[0]).toMatchObject({
      event: {
        id: `rollout.paused:shop.web.k3:${later(2 * MINUTE)}.progressing.paused`,
        subject: 'rollouts/shop.web.k3',
        time: later(2 * MINUTE),
        ...cause,
        data: { rollout: 'shop.web.k3', from: 'progressing', to: 'paused', weight: 10, source: { commit: 'abc' } },
      },
    })
    expect(eventsIn(fold(paused, { ...paused, message: 'other' }).outbox)).toEqual([])
  })

  it('the start, a step, and blindness, which people are alerted by', () => {
    const pending = aRollout('pending')
    const start = { from: 'pending', to: 'pending', at: later(0), ...cause, step: -1, weight: 0 } as const
    const started = foldRollouts(aService(), [{ ...pending, history: [start] }], NOW)
    expect(eventsIn(started.outbox)).toEqual(['rollout.started'])
    const before = aRollout('progressing')
    expect(
      eventsIn(fold(before, enter(askTraffic(before, { weight: 50 }, NOW), 'step-passed', cause, NOW)).outbox),
    ).toEqual(['rollout.step'])
    expect(eventsIn(fold(before, enter(before, 'metrics-missing', cause, NOW)).outbox)).toEqual(['rollout.blind'])
  })

  it('what people want to hear of by name: the next wave, harm that stays where it is, one of several approvals, broken glass', () => {
    const cases = [
      ['promoting', 'wave-passed', 'rollout.wave-passed'],
      ['progressing', 'harm-frozen', 'rollout.harm-frozen'],
      ['paused', 'harm-frozen', 'rollout.harm-frozen'],
      ['awaiting-approval', 'approve-of-several', 'rollout.approved'],
      ['pending', 'break-glass', 'rollout.glass-broken'],
      ['progressing', 'break-glass', 'rollout.glass-broken'],
    ] as const
    for (const [phase, event, type] of cases) {
      const before = aRollout(phase)
      expect(eventsIn(fold(before, enter(before, event, cause, NOW)).outbox)).toEqual([type])
    }
  })

  it('that a freeze or a shut change window begins to hold it back, once', () => {
    const pending = aRollout('pending')
    const frozen = { ...pending, reason: 'Frozen', message: 'Freeze xmas (holidays) holds back the start.' }
    const [entry] = fold(pending, frozen).outbox.filter(({ kind }) => kind === 'event')
    expect(entry).toMatchObject({
      event: { type: 'rollout.held', reason: 'Frozen', message: frozen.message, data: { candidate: 'v2' } },
    })
    expect(eventsIn(fold(frozen, { ...frozen, reason: 'OutsideWindow' }).outbox)).toEqual([])
    expect(eventsIn(fold(frozen, { ...frozen, reason: 'Preflight' }).outbox)).toEqual([])
  })

  it('every look, with the step in which it was made, though it ended that step', () => {
    const progress = bothClusters()
    const before = aRollout('progressing', { progress })
    const candidate = { good: 1190, bad: 10 }
    const looked = {
      ...before,
      progress: bothClusters({ cursorMs: T0 + 110 * SECOND, lookedAt: later(2 * MINUTE), candidate }),
    }
    const after = fold(before, enter(askTraffic(looked, { weight: 50 }, NOW), 'step-passed', cause, NOW, { step: 1 }))
    const looks = after.outbox.flatMap((entry) =>
      entry.kind === 'event' && entry.event.type === 'rollout.look' ? [entry.event] : [],
    )
    expect(looks).toHaveLength(2)
    expect(looks[1]).toMatchObject({
      time: later(2 * MINUTE),
      reason: 'WithinLimit',
      data: {
        cluster: 'west',
        kind: 'errors',
        step: 0,
        weight: 10,
        asked: 10,
        counted: {
          fromMs: T0 + 50 * SECOND,
          toMs: T0 + 110 * SECOND,
          candidate: { good: 190, bad: 10 },
          stable: { good: 0, bad: 0 },
        },
        verdict: { verdict: 'safe' },
      },
    })
  })

  it('the first look of a step from when its weight was live, and a blind one without a window', () => {
    const before = aRollout('progressing')
    const [first, blind] = [
      aProgress('east', { cursorMs: T0 + 20 * SECOND }),
      aProgress('west', { last: aVerdict('blind') }),
    ]
    const { cursorMs: _, ...saw } = blind
    const after = fold(before, { ...before, progress: [first, saw] })
    const counted = after.outbox.flatMap((entry) => (entry.kind === 'event' ? [entry.event.data?.counted] : []))
    const all = { good: 1000, bad: 0 }
    expect(counted).toEqual([{ fromMs: T0 + 5 * SECOND, toMs: T0 + 20 * SECOND, candidate: all, stable: all }, {}])
  })

  it('a look at a cluster of an earlier wave, whose windows go on whatever becomes of the weight of the next', () => {
    const kept = aTarget('east', 100, { revision: 100 })
    const { liveAt: _, ...before } = aRollout('preflight', { targets: [kept, aTarget('west', 0)], wave: 1 })
    const progress = [aProgress('east')]
    const looked = [aProgress('east', { cursorMs: T0 + 80 * SECOND, lookedAt: later(90 * SECOND) })]
    const after = fold({ ...before, progress }, { ...before, progress: looked })
    expect(after.outbox[0]).toMatchObject({
      event: {
        data: { wave: 1, asked: 100, counted: { fromMs: T0 + 50 * SECOND, toMs: T0 + 80 * SECOND } },
      },
    })
  })

  it('what each cluster is asked after a transition', () => {
    const before = aRollout('progressing')
    const east = (cluster: string) => cluster === 'east'
    const after = fold(before, enter(askTraffic(before, { weight: 50 }, NOW, east), 'step-passed', cause, NOW))
    expect(after.outbox[0]).toMatchObject({ event: { data: { weights: { east: 50, west: 10 } } } })
  })

  it('behind what was still in the outbox', () => {
    const waiting = { id: 'old', kind: 'work', queue: 'work', message: { kind: 'probe', cluster: 'east' } } as const
    const before = aRollout('progressing')
    const after = fold(before, enter(before, 'stuck', cause, NOW), { outbox: [waiting] })
    expect(after.outbox[0]).toBe(waiting)
  })
})

describe('a rollout that ended', () => {
  const before = aRollout('rolling-back')
  const ended = enter(before, 'way-back-live', cause, NOW)

  it('leaves the document and is copied out under its id', () => {
    const after = fold(before, ended)
    expect(after.rollouts).toEqual([])
    expect(after).not.toHaveProperty('dueAt')
    expect(after.outbox.find(({ kind }) => kind === 'archive')).toMatchObject({
      id: 'archive.shop.web.k3',
      key: 'shop/web/shop.web.k3',
      value: {
        kind: 'rollout',
        service: 'shop/web',
        outbox: [],
        rollout: { phase: 'aborted', endedAt: later(2 * MINUTE) },
      },
    })
  })

  it('lets a service that chose its clusters by label choose again', () => {
    const byLabel = spec({ clusters: { matchLabels: { env: 'prod' } } })
    expect(workIn(fold(before, ended, { spec: byLabel }).outbox)).toContain('work select east')
    expect(workIn(fold(before, ended).outbox)).not.toContain('work select east')
  })
})

describe('what was asked for and not sent yet', () => {
  const wake = (at: string) =>
    ({
      id: `advance.shop.web.k3.${at}`,
      kind: 'work',
      queue: 'urgent',
      message: { kind: 'advance', service: 'shop/web' },
      notBefore: at,
    }) as const
  const before = aRollout('progressing', { nextAttemptAt: later(3 * MINUTE) })

  it('stays, but for a wake at another time than the next', () => {
    const other = { ...wake(later(MINUTE)), id: `advance.shop.web.k4.${later(MINUTE)}` }
    const outbox = [wake(later(3 * MINUTE)), other]
    const after = fold(before, { ...before, nextAttemptAt: later(5 * MINUTE) }, { outbox })
    expect(after.outbox.map(({ id }) => id)).toEqual([other.id, wake(later(5 * MINUTE)).id])
    const same = fold(before, { ...before, message: 'other' }, { outbox })
    expect(same.outbox).toEqual(outbox)
  })

  it('loses the wake of who waits for a person', () => {
    const asked = wake(later(4 * MINUTE))
    const after = fold(before, enter(before, 'stuck', cause, NOW), { outbox: [asked] })
    expect(after.outbox.map(({ id }) => id)).not.toContain(asked.id)
  })
})

describe('a rollout that waits for its place', () => {
  it('asks nothing of clusters before the wait ends', () => {
    const before = aRollout('pending')
    expect(workIn(fold(before, { ...before, reason: 'Frozen' }).outbox)).toEqual(['urgent advance'])
    const started = fold(before, enter(before, 'place-free', cause, NOW))
    expect(started.renderRevision).toBe(102)
    expect(workIn(started.outbox)).toEqual(['urgent reconcile east', 'urgent reconcile west', 'urgent advance'])
  })
})
