import { beforeEach, describe, expect, it } from 'vitest'
import type { ReplayRequest } from '../../../../src/model/replay.ts'
import type { Rollout } from '../../../../src/model/rollout.ts'
import { PortError } from '../../../../src/ports/port-error.ts'
import { outcomeOf, type Replay, replayRollout } from '../../../../src/rollouts/replay/replay-rollout.ts'
import { aCluster } from '../../fakes/documents.ts'
import { aRollout, aTarget, later, MINUTE, PERSON, SECOND } from '../fixture.ts'
import { LiveWorld } from '../live-world.ts'

const LOOSE = { kind: 'errors', limitPercent: 50, comparison: false } as const
const STRICT = { kind: 'errors', limitPercent: 1 } as const

let world: LiveWorld
beforeEach(() => {
  world = new LiveWorld()
})

/** Lets a rollout run to its end, of a candidate that fails `failing` of 20 requests. */
async function ran(change: Partial<Rollout>, failing: number): Promise<Rollout> {
  world.traffic(failing)
  world.begin(aRollout('pending', { nextAttemptAt: later(0), bakeMs: MINUTE, ...change }))
  await world.follow()
  return world.store.get('rollout', 'shop/web/shop.web.k3').rollout
}

const ask = (request: ReplayRequest = {}, slow = 0) => {
  let calls = 0
  const clock = { now: () => world.now + slow * calls++, sleep: async () => undefined }
  return replayRollout({ store: world.store, metrics: world.metrics, clock }, 'shop.web.k3', request)
}

async function replay(request?: ReplayRequest): Promise<Replay> {
  const replayed = await ask(request)
  if (!replayed.ok) throw new Error(replayed.failure.detail)
  return replayed.value
}

describe('a replay', () => {
  it('by stricter gates calls harm that the rollout’s own let pass, and says when and where', async () => {
    expect(await ran({ gates: [LOOSE] }, 4)).toMatchObject({ phase: 'succeeded' })
    const found = await replay({ gates: [STRICT] })
    expect(outcomeOf(found)).toEqual({
      ends: 'rolls-back',
      message: expect.stringMatching(
        /^Harm would have been called at 2026-05-01T10:0\d:.*: gate errors on .* \(20\.0 %\)/,
      ),
    })
    expect(found.harm).toMatchObject({ wave: 0, step: 0, reason: 'LimitExceeded' })
    expect(found.looks.at(-1)?.progress.last?.verdict).toBe('harm')
  })

  it('by its own gates calls the harm that the rollout called, at the same time and for the same counts', async () => {
    const rolledBack = await ran({ gates: [STRICT] }, 4)
    expect(rolledBack.phase).toBe('rolled-back')
    const { harm } = await replay()
    const called = rolledBack.history.find(({ to }) => to === 'rolling-back')
    expect(harm).toMatchObject({ at: called?.at, message: called?.message })
  })

  it('by looser gates lets pass what was rolled back, as far as its traffic went', async () => {
    await ran({ gates: [STRICT] }, 4)
    const found = await replay({ gates: [LOOSE] })
    expect(found.harm).toBeUndefined()
    expect(outcomeOf(found).ends).toBe('passes')
  })

  it('counts the windows that the rollout counted, each once', async () => {
    const ended = await ran({ gates: [LOOSE] }, 0)
    const { looks, held } = await replay()
    expect(held).toEqual([])
    for (const cluster of ['east', 'west']) {
      const last = looks.findLast(({ progress }) => progress.cluster === cluster)?.progress
      const own = ended.progress.find((progress) => progress.cluster === cluster)
      expect(last?.candidate).toEqual(own?.candidate)
      expect(last?.stepCandidate).toEqual(own?.stepCandidate)
    }
    const windows = looks.flatMap(({ counted, progress }) => (counted && progress.cluster === 'east' ? [counted] : []))
    for (const [index, { fromMs, toMs }] of windows.entries()) {
      expect(fromMs).toBeLessThan(toMs)
      expect(fromMs).toBeGreaterThanOrEqual(windows[index - 1]?.toMs ?? 0)
    }
  })

  it('holds the end of a step that would have wanted more requests', async () => {
    await ran({ gates: [LOOSE] }, 0)
    const found = await replay({ minEvents: 1_000_000 })
    expect(found.held.map(({ step, reason }) => [step, reason])).toEqual([
      [0, 'TooFewEvents'],
      [1, 'TooFewEvents'],
    ])
    expect(outcomeOf(found)).toEqual({ ends: 'holds', message: expect.stringContaining('1000000 are needed') })
  })

  it('judges a rollout that had no gates', async () => {
    expect(await ran({ gates: [] }, 4)).toMatchObject({ phase: 'succeeded' })
    expect(await ask()).toMatchObject({ failure: { errors: [{ pointer: '/gates' }] } })
    expect((await replay({ gates: [STRICT] })).harm).toMatchObject({ step: 0 })
  })

  it('by a smaller alpha takes longer to call harm', async () => {
    await ran({ gates: [LOOSE] }, 1)
    const [usual, careful] = [
      await replay({ gates: [STRICT], alpha: 0.2 }),
      await replay({ gates: [STRICT], alpha: 0.0001 }),
    ]
    expect(Date.parse(careful.harm?.at ?? '')).toBeGreaterThan(Date.parse(usual.harm?.at ?? ''))
  })

  it('is blind where the source has forgotten, and says how often', async () => {
    await ran({ gates: [LOOSE] }, 0)
    world.metrics.failure = new PortError('unavailable', 'Prometheus', 'Prometheus answered 503')
    const found = await replay()
    const verdicts = new Set(
      found.looks.filter(({ progress }) => progress.cluster !== '*').map(({ progress }) => progress.last?.verdict),
    )
    expect([...verdicts]).toEqual(['blind'])
    expect(found.looks.every(({ counted }) => counted === undefined)).toBe(true)
    expect(found.held[0]).toMatchObject({ reason: 'Blind', step: 0 })
    expect(found.warnings[0]).toMatch(/^(\d+) of \1 looks were blind/)
  })

  it('of one that is live ends now', async () => {
    world.traffic(0)
    world.begin(aRollout('pending', { gates: [LOOSE], nextAttemptAt: later(0) }))
    await world.follow(6)
    expect(world.rollout()?.phase).toBe('progressing')
    const found = await replay()
    expect(found.stages.at(-1)?.toMs).toBe(world.now)
  })

  it('may be of some clusters, and leaves out those that are gone', async () => {
    await ran({ gates: [LOOSE] }, 0)
    const east = await replay({ clusters: ['east'] })
    expect(new Set(east.looks.map(({ progress }) => progress.cluster))).toEqual(new Set(['east']))
    expect(east.warnings).toEqual(['west is left out, or not registered any more.'])
    expect(await ask({ clusters: ['north'] })).toMatchObject({ failure: { code: 'UnknownReference' } })
  })

  it('writes nothing', async () => {
    await ran({ gates: [LOOSE] }, 0)
    const { writes } = world.store
    const kept = world.store.kept.length
    await replay({ gates: [STRICT] })
    expect([world.store.writes, world.store.kept.length]).toEqual([writes, kept])
  })

  it('looks less often where there is much to look at', async () => {
    await ran({ gates: [LOOSE] }, 0)
    const many = await replay({ gates: Array.from({ length: 16 }, () => LOOSE) })
    expect(many.everyMs).toBeGreaterThan(5 * SECOND)
    expect(many.looks.filter(({ progress }) => progress.cluster !== '*').length).toBeLessThanOrEqual(1000)
  })

  it('refuses what would take too many looks, and says how to ask for less', async () => {
    const names = Array.from({ length: 100 }, (_, index) => `c${index}`)
    for (const name of names) world.store.put(aCluster(name))
    const targets = names.map((name) => aTarget(name, 0))
    const move = { actor: PERSON, reason: 'Test', message: 'm', step: 0, weight: 10 } as const
    const history = [
      { ...move, from: 'preflight', to: 'progressing', at: later(0) },
      { ...move, from: 'progressing', to: 'aborted', at: later(MINUTE) },
    ] as const
    const rollout = aRollout('aborted', { targets, history, endedAt: later(MINUTE) })
    const base = { schema: 1, outbox: [], createdAt: later(0), updatedAt: later(0) } as const
    world.store.put({ ...base, kind: 'rollout', service: 'shop/web', rollout })
    world.begin(aRollout('pending', { id: 'shop.web.other' }))
    expect(await ask({ gates: Array.from({ length: 16 }, () => LOOSE) })).toMatchObject({
      failure: {
        code: 'InvalidCombination',
        detail: expect.stringContaining('may take 1000'),
        hint: expect.stringContaining('"clusters"'),
      },
    })
  })

  it('stops when the sources take too long, and gives what it has', async () => {
    await ran({ gates: [LOOSE] }, 0)
    const slow = await ask({}, 10 * SECOND)
    expect(slow).toMatchObject({ ok: true, value: { stopped: expect.stringContaining('150 s') } })
    expect(slow.ok && slow.value.warnings.at(-1)).toMatch(/^Stopped before the end/)
    expect(slow.ok && slow.value.looks.length).toBeGreaterThan(0)
  })

  it.each([
    [
      'gates that no cluster could answer',
      { gates: [{ kind: 'errors', from: 'logs', limitPercent: 1 }] },
      'InvalidCombination',
    ],
    [
      'a latency between two edges',
      { gates: [{ kind: 'latency', overMs: 333, limitPercent: 1 }] },
      'InvalidCombination',
    ],
    [
      'a ready-made gate that there is not',
      { gates: [{ kind: 'counts', use: 'nothing', limitPercent: 1 }] },
      'UnknownReference',
    ],
  ] as const)('refuses %s', async (_name, request, code) => {
    await ran({ gates: [LOOSE] }, 0)
    expect(await ask(request as unknown as ReplayRequest)).toMatchObject({ ok: false, failure: { code } })
  })

  it('is refused for a rollout that there is not, or that gave its candidate nothing', async () => {
    expect(await ask()).toMatchObject({ failure: { code: 'NotFound' } })
    world.begin(aRollout('pending', { gates: [LOOSE] }))
    world.store.put(aCluster('east'))
    expect(await ask()).toMatchObject({ failure: { code: 'RolloutState' } })
  })
})
