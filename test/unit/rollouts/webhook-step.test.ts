import { beforeEach, describe, expect, it } from 'vitest'
import type { ServiceDocument } from '../../../src/model/documents.ts'
import type { Rollout } from '../../../src/model/rollout.ts'
import { type StepSpec, stepSpec } from '../../../src/model/step.ts'
import type { WebhookAnswer, WebhookRequest } from '../../../src/ports/webhooks.ts'
import { type AdvanceDeps, advanceRollouts } from '../../../src/rollouts/advance-rollouts.ts'
import { callWebhook } from '../../../src/rollouts/call-webhook.ts'
import { applyVerb } from '../../../src/rollouts/verbs.ts'
import { aCluster, aPlacement, aService } from '../fakes/documents.ts'
import { FakeMetrics } from '../fakes/fake-metrics.ts'
import { MemoryStore } from '../fakes/memory-store.ts'
import { aRollout, aTarget, aVerdict, bothClusters, later, MINUTE, PERSON, SECOND, T0 } from './fixture.ts'

const URL = 'https://checks.example.com/canary?token=t'
const PASSED: WebhookAnswer = { outcome: 'passed', detail: 'checks.example.com says pass: 12 of 12' }
const WAITING: WebhookAnswer = { outcome: 'waiting', detail: 'checks.example.com answered 202' }
const FAILED: WebhookAnswer = { outcome: 'failed', detail: 'checks.example.com answered 503' }

let store: MemoryStore
let now: number
let calls: WebhookRequest[]
/** What the receiver says, in turn; the last one again and again. */
let answers: readonly WebhookAnswer[]
/** How long it takes. */
let answerMs: number

beforeEach(() => {
  store = new MemoryStore()
  now = T0 + MINUTE
  calls = []
  answers = [PASSED]
  answerMs = 0
  for (const name of ['east', 'west']) {
    store.put(aCluster(name))
    store.put(aPlacement(name))
  }
})

const deps = (): AdvanceDeps => ({
  store,
  metrics: new FakeMetrics(),
  clock: { now: () => now, sleep: async () => undefined },
  caps: { perCluster: 10, inAll: 30 },
  publicUrl: 'https://mesh.example.com',
  webhooks: {
    async call(request) {
      const answer = answers[Math.min(calls.length, answers.length - 1)] ?? PASSED
      calls.push(request)
      now += answerMs
      return answer
    },
  },
})

/** At a webhook step since T0, after 10 % and before 50 %. */
function atWebhook(step: Record<string, unknown> = {}, change: Partial<Rollout> = {}): Rollout {
  const webhook = { url: URL, ...(step.webhook as object) }
  const steps: StepSpec[] = [
    { weight: 10, for: '1m' },
    { ...step, webhook },
    { weight: 50, for: '1m' },
  ].map((one) => stepSpec.parse(one))
  const given = { gates: [], step: 1, weight: 10, stepSince: later(0), nextAttemptAt: later(0), ...change }
  return aRollout('progressing', { ...given, steps })
}

function start(rollout: Rollout = atWebhook()): void {
  store.put(aService({ renderRevision: 102, rollouts: [rollout] }))
}

const onEast = () => atWebhook({}, { targets: [aTarget('east', 10)] })
const onWest = () =>
  aRollout('progressing', { id: 'shop.web.b2', gates: [], targets: [aTarget('west', 10)], nextAttemptAt: later(0) })

/** Another hand has moved the weights there. */
function driftOn(cluster: string): void {
  const drifted = {
    type: 'Drifted',
    status: 'True',
    reason: 'WeightChanged',
    message: 'v2 has 50 %.',
    lastTransitionTime: later(MINUTE),
    observedGeneration: 1,
  } as const
  store.change('placement', `shop/web/${cluster}`, (placement) => ({ ...placement, conditions: [drifted] }))
}

const rollout = () => store.get('service', 'shop/web').rollouts[0]

/** The call alone, as a pass makes it whose outcome is never written. */
function ask(service: ServiceDocument, rollout: Rollout): Promise<unknown> {
  return callWebhook(deps(), service, rollout, rollout.progress)
}

/** Passes when they are due, at most so many; gives the times of the calls, in seconds after the first. */
async function follow(passes: number): Promise<readonly number[]> {
  const at: number[] = []
  for (let pass = 0; pass < passes && rollout()?.phase === 'progressing' && rollout()?.step === 1; pass += 1) {
    now = Math.max(now, Date.parse(rollout()?.nextAttemptAt ?? ''))
    const [before, before_ms] = [calls.length, now]
    await advanceRollouts(deps(), 'shop/web')
    if (calls.length > before) at.push(before_ms)
  }
  return at.map((ms) => (ms - (at[0] ?? 0)) / SECOND)
}

describe('a webhook step', () => {
  it('asks once its traffic is live, and goes on when it is told pass', async () => {
    start()
    await advanceRollouts(deps(), 'shop/web')
    expect(calls).toEqual([
      {
        id: 'shop_web_k3_0_1',
        url: URL,
        secret: 'webhook-signing',
        deadlineMs: 10_000,
        body: {
          type: 'rollout.step',
          timestamp: later(0),
          data: {
            rollout: 'shop.web.k3',
            service: 'shop/web',
            candidate: 'v2',
            stable: { east: 'v1', west: 'v1' },
            clusters: ['east', 'west'],
            phase: 'progressing',
            wave: 0,
            waveName: 'all',
            step: 1,
            weight: 10,
            links: {
              rollout: 'https://mesh.example.com/api/v1/rollouts/shop.web.k3',
              evidence: 'https://mesh.example.com/api/v1/rollouts/shop.web.k3/evidence',
            },
          },
        },
      },
    ])
    expect(rollout()).toMatchObject({ phase: 'progressing', step: 2, weight: 50, reason: 'StepPassed' })
    expect(rollout()?.message).toContain('Webhook passed: checks.example.com says pass: 12 of 12.')
    expect(rollout()).not.toHaveProperty('webhook')
  })

  it('is not asked before its traffic is live, nor where a gate says harm or is blind', async () => {
    const { liveAt: _live, ...shifting } = atWebhook()
    for (const verdict of ['harm', 'blind'] as const) {
      const gates = [{ kind: 'errors', limitPercent: 1 }] as const
      const progress = bothClusters({ last: aVerdict(verdict), cursorMs: now, lookedAt: later(MINUTE) })
      await ask(aService(), atWebhook({}, { gates, progress }))
    }
    await ask(aService(), shifting)
    await ask(aService(), { ...atWebhook(), phase: 'paused' })
    expect(calls).toEqual([])
  })

  it('is left to others by who cannot wait', async () => {
    const { webhooks: _none, ...hasty } = deps()
    start()
    await advanceRollouts(hasty, 'shop/web')
    expect(rollout()).toMatchObject({ step: 1, message: 'webhook checks.example.com is being asked.' })
    await follow(1)
    expect(rollout()?.step).toBe(2)
  })

  it('goes back when it is told no', async () => {
    answers = [{ outcome: 'refused', detail: 'checks.example.com says fail: checkout is broken' }]
    start()
    await follow(1)
    expect(rollout()).toMatchObject({
      phase: 'rolling-back',
      weight: 0,
      reason: 'WebhookRefused',
      message: 'Webhook refused: checks.example.com says fail: checkout is broken.',
      webhook: { outcome: 'refused', attempts: 1 },
    })
  })

  it('asks again every 30 seconds while it is told to wait, or as long as it is told', async () => {
    answers = [WAITING, WAITING, { ...WAITING, retryAfterMs: 90_000 }, { ...WAITING, retryAfterMs: 3_600_000 }, PASSED]
    start()
    expect(await follow(20)).toEqual([0, 30, 60, 150, 450])
    expect(new Set(calls.map(({ id }) => id))).toEqual(new Set(['shop_web_k3_0_1']))
    expect(rollout()?.step).toBe(2)
  })

  it('tries again later and later after a call that failed, and then does as the step says', async () => {
    const ends = { pause: 'paused', rollback: 'rolling-back', proceed: 'progressing' } as const
    for (const [onTimeout, phase] of Object.entries(ends)) {
      calls = []
      answers = [FAILED]
      start(atWebhook({ webhook: { retries: 8 }, timeout: '2h', onTimeout }))
      expect(await follow(20)).toEqual([0, 5, 15, 35, 75, 155, 315, 615, 915])
      expect(rollout()?.phase).toBe(phase)
      expect(rollout()?.step).toBe(onTimeout === 'proceed' ? 2 : 1)
      expect(rollout()?.message).toContain('Webhook failed 9 times in a row: checks.example.com answered 503.')
    }
  })

  it('counts only failures that follow one another', async () => {
    answers = [FAILED, WAITING, FAILED, WAITING, FAILED, FAILED]
    start(atWebhook({ webhook: { retries: 1 } }))
    await follow(20)
    expect(calls).toHaveLength(6)
    expect(rollout()).toMatchObject({ phase: 'paused', webhook: { attempts: 6, failures: 2 } })
  })

  it('waits no longer than its timeout, whatever it is told', async () => {
    answers = [WAITING]
    start(atWebhook({ timeout: '5m', onTimeout: 'rollback' }))
    await follow(40)
    expect(now).toBe(T0 + 5 * MINUTE)
    expect(rollout()).toMatchObject({ phase: 'rolling-back', reason: 'Webhook' })
  })

  it('is asked anew, as often as at first, when a person resumes', async () => {
    answers = [FAILED]
    start(atWebhook({ webhook: { retries: 0 } }))
    await follow(1)
    const paused = rollout()
    if (paused?.phase !== 'paused') throw new Error('not paused')
    const resumed = applyVerb(paused, { verb: 'resume', actor: PERSON, note: '', now })
    if (!resumed.ok) throw new Error(resumed.failure.detail)
    answers = [FAILED, PASSED]
    start(resumed.value)
    await follow(1)
    expect(rollout()?.step).toBe(2)
  })

  it('does not ask again what was answered while a freeze holds the next step back', async () => {
    start(atWebhook({}, { webhook: { attempts: 1, failures: 0, calledAt: later(0), outcome: 'passed', detail: 'ok' } }))
    await follow(1)
    expect(calls).toEqual([])
    expect(rollout()?.step).toBe(2)
  })

  it('asks under the same id when the one who asked died before it wrote, and no other step has that id', async () => {
    start()
    await ask(store.get('service', 'shop/web'), atWebhook())
    await follow(1)
    expect(calls.map(({ id }) => id)).toEqual(['shop_web_k3_0_1', 'shop_web_k3_0_1'])
    const waves = ['one', 'two'].map((name) => ({ name, clusters: ['east'], steps: atWebhook().steps, bakeMs: 0 }))
    await ask(store.get('service', 'shop/web'), atWebhook({}, { waves, wave: 1 }))
    expect(calls.at(-1)?.id).toBe('shop_web_k3_1_1')
  })

  it('is asked once when its write loses a race', async () => {
    start()
    const { webhooks, ...rest } = deps()
    const racing: AdvanceDeps = {
      ...rest,
      webhooks: {
        async call(request) {
          store.change('service', 'shop/web', (service) => ({ ...service, updatedAt: later(MINUTE) }))
          return webhooks?.call(request) ?? PASSED
        },
      },
    }
    await advanceRollouts(racing, 'shop/web')
    expect(calls).toHaveLength(1)
    expect(rollout()?.step).toBe(2)
  })

  it('is asked only once the way back of another rollout of the service is written', async () => {
    const progress = bothClusters({ last: aVerdict('harm'), cursorMs: now, lookedAt: later(MINUTE) })
    const gates = [{ kind: 'errors', limitPercent: 1 }] as const
    const harmed = aRollout('progressing', { id: 'shop.web.b2', gates, progress, weight: 10, nextAttemptAt: later(0) })
    store.put(aService({ renderRevision: 102, rollouts: [atWebhook(), harmed] }))
    await advanceRollouts(deps(), 'shop/web')
    expect(calls).toEqual([])
    expect(store.get('service', 'shop/web').rollouts).toMatchObject([
      { phase: 'progressing', step: 1, nextAttemptAt: later(MINUTE + SECOND) },
      { id: 'shop.web.b2', phase: 'rolling-back', weight: 0 },
    ])
    await follow(1)
    expect(calls).toHaveLength(1)
    expect(rollout()?.step).toBe(2)
  })

  it('is asked only once a pause of another rollout of the service is written', async () => {
    driftOn('west')
    store.put(aService({ renderRevision: 102, rollouts: [onEast(), onWest()] }))
    await advanceRollouts(deps(), 'shop/web')
    expect(calls).toEqual([])
    expect(store.get('service', 'shop/web').rollouts[1]).toMatchObject({ phase: 'paused', reason: 'WeightChanged' })
    await follow(1)
    expect(calls).toHaveLength(1)
  })

  it('holds up no pause of another rollout that comes while it is asked', async () => {
    store.put(aService({ renderRevision: 102, rollouts: [onEast(), onWest()] }))
    const { webhooks, ...rest } = deps()
    let seen: Rollout | undefined
    const slow: AdvanceDeps = {
      ...rest,
      webhooks: {
        async call(request) {
          driftOn('west')
          await advanceRollouts(deps(), 'shop/web')
          seen = store.get('service', 'shop/web').rollouts[1]
          return webhooks?.call(request) ?? PASSED
        },
      },
    }
    await advanceRollouts(slow, 'shop/web')
    expect(seen).toMatchObject({ phase: 'paused', reason: 'WeightChanged' })
    expect(store.get('service', 'shop/web').rollouts).toMatchObject([{ step: 2 }, { phase: 'paused' }])
    expect(calls).toHaveLength(1)
  })

  it('tells what matches and is copied, of the clusters of its wave', async () => {
    const match = [{ headers: { 'x-preview': { exact: 'yes' } } }]
    const waves = [{ name: 'canary', clusters: ['west'], steps: atWebhook().steps, bakeMs: 0 }]
    const targets = [aTarget('east', 100), aTarget('west', 10, { match })]
    await ask(aService(), atWebhook({}, { waves, wave: 0, targets, match, source: { commit: 'abc' } }))
    expect(calls[0]?.body).toMatchObject({
      data: { clusters: ['west'], stable: { west: 'v1' }, waveName: 'canary', match, source: { commit: 'abc' } },
    })
  })
})
