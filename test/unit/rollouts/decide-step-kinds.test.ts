import { describe } from 'vitest'
import type { Rollout, WebhookProgress } from '../../../src/model/rollout.ts'
import type { StepSpec } from '../../../src/model/step.ts'
import { aProgress, aRollout, aTarget, aVerdict, bothClusters, later, MINUTE, SECOND, T0 } from './fixture.ts'
import { away, checkRows, NOW } from './rows.ts'

/** At the first step, which keeps the traffic of before; then 50 %. */
function at(step: StepSpec, change: Partial<Rollout> = {}): Rollout {
  const steps = [step, { weight: 50, for: '1m' }]
  return aRollout('progressing', { steps, stepSince: later(MINUTE), progress: bothClusters(), ...change })
}

describe('a step that sets a match', () => {
  const match = [{ headers: { 'x-preview': { exact: 'yes' } } }]
  const steps = [
    { match, for: '1m' },
    { weight: 10, for: '1m' },
  ]
  checkRows([
    {
      it: 'sends what matches to the candidate, and no share of the rest',
      rollout: aRollout('preflight', { steps }),
      becomes: { phase: 'progressing', weight: 0, match, targets: [{ weight: 0, match, highestWeight: 1 }, { match }] },
    },
    {
      it: 'gives way to the weight of the next step',
      rollout: aRollout('progressing', {
        steps,
        match,
        weight: 0,
        targets: ['east', 'west'].map((name) => aTarget(name, 0, { match, highestWeight: 1 })),
        progress: bothClusters(),
      }),
      becomes: { phase: 'progressing', step: 1, weight: 10, targets: [{ weight: 10 }, { weight: 10 }] },
      without: ['match'],
    },
    {
      it: 'goes back to nothing on harm, though no weight was asked',
      rollout: aRollout('progressing', {
        steps,
        match,
        weight: 0,
        targets: ['east', 'west'].map((name) => aTarget(name, 0, { match, highestWeight: 1 })),
        progress: [aProgress('east', { last: aVerdict('harm') })],
      }),
      becomes: { phase: 'rolling-back', weight: 0 },
      without: ['match'],
    },
    {
      it: 'is promoted when it was the last',
      rollout: aRollout('progressing', {
        steps: [{ match, for: '1m' }],
        match,
        weight: 0,
        targets: ['east', 'west'].map((name) => aTarget(name, 0, { match, highestWeight: 1 })),
        progress: bothClusters(),
      }),
      becomes: { phase: 'promoting', weight: 100 },
      without: ['match'],
    },
  ])
})

describe('a hold', () => {
  checkRows([
    {
      it: 'lasts its time, with the traffic and the looks of the step before',
      rollout: at({ hold: '5m' }),
      becomes: { phase: 'progressing', step: 0, weight: 10, message: 'Step 1 of 2: hold 5m.' },
      next: NOW + 5 * SECOND,
    },
    {
      it: 'ends after it, whatever the candidate saw',
      rollout: at({ hold: '1m' }, { progress: [] }),
      becomes: { step: 1, weight: 50 },
    },
    {
      it: 'does not end into a closed change window',
      rollout: at({ hold: '1m' }),
      sees: { closed: 'The next opens at 2026-05-02T07:00:00.000Z.' },
      becomes: {
        step: 0,
        reason: 'OutsideWindow',
        message:
          'No change window is open, which holds back the next step. The next opens at 2026-05-02T07:00:00.000Z.',
      },
      next: NOW + 5 * SECOND,
    },
  ])
})

describe('a step that only waits', () => {
  const sick = { progress: bothClusters({ last: aVerdict('undecided', { reason: 'StableBreaksLimitToo' }) }) }
  const over = { now: T0 + 2 * MINUTE }
  checkRows([
    {
      it: 'does not pass while stable breaks the limit too',
      rollout: at({ hold: '1m' }, sick),
      sees: over,
      becomes: { step: 0, reason: 'StableBreaksLimitToo' },
      next: NOW + 5 * SECOND,
    },
    {
      it: 'passes for want of requests: it asks for none',
      rollout: at({ hold: '1m' }, { progress: bothClusters({ stepCandidate: { good: 0, bad: 0 } }) }),
      sees: over,
      becomes: { step: 1 },
    },
  ])
})

describe('an approval of its own', () => {
  checkRows([
    {
      it: 'is asked for at once',
      rollout: at({ approval: { quorum: 2 } }),
      becomes: {
        phase: 'awaiting-approval',
        message: 'Step 1 of 2 (approval by 2) waits for 2 approvers.',
      },
    },
    {
      it: 'is asked for again when there are too few',
      rollout: at({ approval: { quorum: 2 } }, { approvals: [{ kind: 'person', id: 'p2', name: 'Bo' }] }),
      becomes: { phase: 'awaiting-approval' },
    },
    {
      it: 'passes with enough of them, in the name of the last',
      rollout: at(
        { approval: { quorum: 2 } },
        { approvals: ['p2', 'p3'].map((id) => ({ kind: 'person' as const, id, name: id })) },
      ),
      becomes: { step: 1, weight: 50, history: [{ actor: { id: 'p3' } }] },
      without: ['approvals'],
    },
  ])
})

describe('an analysis of its own', () => {
  const unsure = { progress: bothClusters({ last: aVerdict('undecided') }) }
  checkRows([
    {
      it: 'ends as soon as every gate says safe',
      rollout: at({ analysis: true }),
      becomes: { step: 1, weight: 50 },
    },
    {
      it: 'waits while one does not',
      rollout: at({ analysis: true, timeout: '10m' }, unsure),
      becomes: { step: 0, reason: 'NotYetSafe' },
      next: NOW + 5 * SECOND,
    },
    {
      it: 'rolls back when its time is over and it says so',
      rollout: at({ analysis: true, timeout: '10m', onTimeout: 'rollback' }, unsure),
      sees: { now: T0 + 12 * MINUTE },
      becomes: { phase: 'rolling-back', reason: 'NotYetSafe' },
    },
    {
      it: 'goes on when its time is over, no gate says harm and it says so',
      rollout: at({ analysis: true, timeout: '10m', onTimeout: 'proceed' }, unsure),
      sees: { now: T0 + 12 * MINUTE },
      becomes: { step: 1, weight: 50 },
    },
    {
      it: 'never goes on for want of requests, whatever it says',
      rollout: at(
        { analysis: true, timeout: '10m', onTimeout: 'proceed' },
        { progress: bothClusters({ stepCandidate: { good: 3, bad: 0 } }) },
      ),
      sees: { now: T0 + 12 * MINUTE },
      becomes: { phase: 'paused', reason: 'TooFewEvents' },
    },
    {
      it: 'never goes on while a gate of a query has not looked, though another is only not yet safe',
      rollout: at(
        { analysis: true, timeout: '10m', onTimeout: 'proceed' },
        {
          gates: [
            { kind: 'errors', limitPercent: 1 },
            { kind: 'value', name: 'p99', query: 'up', max: 1, every: '1m', looks: 2 },
          ],
          ...unsure,
        },
      ),
      sees: { now: T0 + 12 * MINUTE },
      becomes: { phase: 'paused', reason: 'NotLookedYet' },
    },
    {
      it: 'never goes on while stable breaks the limit too, whatever it says',
      rollout: at(
        { analysis: true, timeout: '10m', onTimeout: 'proceed' },
        { progress: bothClusters({ last: aVerdict('undecided', { reason: 'StableBreaksLimitToo' }) }) },
      ),
      sees: { now: T0 + 12 * MINUTE },
      becomes: { phase: 'paused', reason: 'StableBreaksLimitToo' },
    },
  ])
})

describe('shares that no weight explains', () => {
  const off = { progress: bothClusters({ last: aVerdict('undecided', { reason: 'RatioOff' }) }) }
  checkRows([
    {
      it: 'are no warning before the step holds: its weight may not have reached the proxies yet',
      rollout: at({ hold: '5m' }),
      sees: { ...off, now: T0 + 3 * MINUTE },
      becomes: { step: 0, reason: 'Step', warnings: [] },
      next: 3 * MINUTE + 5 * SECOND,
    },
    {
      it: 'hold a step, and are warned of once for each cluster',
      rollout: at(
        { hold: '1m' },
        { warnings: ['west: the candidate gets another share of the requests than its weight asks'] },
      ),
      sees: { ...off, now: T0 + 3 * MINUTE },
      becomes: {
        step: 0,
        reason: 'RatioOff',
        warnings: ['west', 'east'].map(
          (name) => `${name}: the candidate gets another share of the requests than its weight asks`,
        ),
      },
      next: 3 * MINUTE + 5 * SECOND,
    },
  ])
})

describe('an analysis', () => {
  checkRows([
    {
      it: 'does not pass by a verdict from before its traffic',
      rollout: at({ analysis: true }, { progress: bothClusters({ lookedAt: later(0) }) }),
      becomes: { step: 0, reason: 'NotYetSafe', message: 'gate errors on east: no look in this step yet' },
      next: NOW + 5 * SECOND,
    },
    {
      it: 'does not pass while a cluster of the wave was not looked at',
      rollout: at({ analysis: true }, { progress: [aProgress('east')] }),
      becomes: { step: 0, reason: 'NotYetSafe', message: 'gate errors on west: no look in this step yet' },
      next: NOW + 5 * SECOND,
    },
    {
      it: 'does not pass while no cluster of the wave can be reached, whatever was seen there before',
      rollout: at({ analysis: true }, { progress: bothClusters() }),
      sees: { targets: { east: away, west: away } },
      becomes: { step: 0, reason: 'Unreachable', message: 'No cluster of the rollout can be reached.' },
      next: NOW + 5 * SECOND,
    },
  ])
})

describe('a webhook', () => {
  const webhook = { url: 'https://ci.example.com/gate', retries: 1 }
  const AGAIN = { waiting: 30 * SECOND, failed: 5 * SECOND }
  const said = (outcome: WebhookProgress['outcome'], attempts = 1): WebhookProgress => {
    const again = outcome === 'waiting' || outcome === 'failed' ? { againAt: later(NOW + AGAIN[outcome]) } : {}
    const failures = outcome === 'failed' ? attempts : 0
    return { outcome, attempts, failures, calledAt: later(NOW), detail: 'smoke tests', ...again }
  }
  checkRows([
    {
      it: 'is waited for until it was called',
      rollout: at({ webhook }),
      becomes: { step: 0, reason: 'Webhook', message: 'webhook ci.example.com is being asked.' },
      next: NOW + SECOND,
    },
    {
      it: 'lets pass',
      rollout: at({ webhook }),
      sees: { webhook: said('passed') },
      becomes: { step: 1, weight: 50, message: 'Webhook passed: smoke tests. Next: 50 % for 1m.' },
      without: ['webhook'],
    },
    {
      it: 'rolls back when the other side says no',
      rollout: at({ webhook }),
      sees: { webhook: said('refused') },
      becomes: { phase: 'rolling-back', reason: 'WebhookRefused', webhook: said('refused') },
    },
    {
      it: 'is asked again in half a minute when the other side needs time',
      rollout: at({ webhook }),
      sees: { webhook: said('waiting') },
      becomes: { step: 0, webhook: said('waiting') },
      next: NOW + 30 * SECOND,
    },
    {
      it: 'is tried again after five seconds when it failed',
      rollout: at({ webhook }),
      sees: { webhook: said('failed') },
      becomes: { step: 0, webhook: said('failed') },
      next: NOW + 5 * SECOND,
    },
    {
      it: 'pauses when all its calls failed',
      rollout: at({ webhook }),
      sees: { webhook: said('failed', 2) },
      becomes: { phase: 'paused', reason: 'WebhookFailed' },
    },
    {
      it: 'passes when all its calls failed and it says so',
      rollout: at({ webhook, onTimeout: 'proceed' }),
      sees: { webhook: said('failed', 2) },
      becomes: { step: 1, weight: 50 },
    },
    {
      it: 'pauses when the other side needs longer than it may',
      rollout: at({ webhook, timeout: '10m' }, { webhook: said('waiting') }),
      sees: { now: T0 + 12 * MINUTE },
      becomes: { phase: 'paused', reason: 'Webhook' },
    },
  ])
})
