import { describe, expect, it } from 'vitest'
import type { WaveSpec } from '../../../src/model/strategy.ts'
import { planWaves } from '../../../src/rollouts/plan-waves.ts'
import { aCluster } from '../fakes/documents.ts'

const STEPS = [{ weight: 10, for: '1m' }]

/** The fixture's cluster under another name and with other labels. */
function cluster(name: string, ring: string) {
  const document = aCluster(name)
  return { ...document, spec: { ...document.spec, labels: { ring } } }
}
const FLEET = [cluster('a', 'canary'), cluster('b', 'prod'), cluster('c', 'prod'), cluster('d', 'prod')]

function plan(...waves: WaveSpec[]) {
  return planWaves({ steps: STEPS, waves }, FLEET, { known: ['a', 'b', 'c', 'd', 'e'], own: true })
}

/** Names, clusters and bakes in minutes. */
function waves(result: ReturnType<typeof plan>) {
  if (!result.ok) throw new Error(result.failure.detail)
  return result.value?.map(({ name, clusters, bakeMs }) => [name, clusters.join(''), bakeMs / 60_000])
}

describe('the waves of a rollout', () => {
  it('are none where the strategy names none', () => {
    expect(planWaves({ steps: STEPS }, FLEET, { known: [], own: true })).toEqual({ ok: true, value: undefined })
  })

  it('take clusters by label and the rest, each cluster once, in the order of the waves', () => {
    const first = { clusters: { matchLabels: { ring: 'canary' } }, bake: '5m' }
    expect(waves(plan(first, { name: 'second', clusters: ['c', 'b'] }, {}))).toEqual([
      ['wave-1', 'a', 5],
      ['second', 'cb', 0],
      ['wave-3', 'd', 0],
    ])
  })

  it('are left out when nothing is left for them', () => {
    expect(waves(plan({}, { clusters: ['a'] }))).toEqual([['wave-1', 'abcd', 0]])
  })

  it('go some clusters at a time where they say so, with one bake after the last of them', () => {
    expect(waves(plan({ name: 'all', concurrency: 3, bake: '1m' }))).toEqual([
      ['all', 'abc', 0],
      ['all', 'd', 1],
    ])
  })

  it('have steps of their own, or those of the rollout', () => {
    const own = [{ weight: 50, for: '2m' }]
    const planned = plan({ clusters: ['a'], steps: own }, {})
    expect(planned.ok && planned.value?.map(({ steps }) => steps)).toEqual([own, STEPS])
  })

  it('are refused when they name a cluster that the rollout is not on', () => {
    expect(plan({ clusters: ['a', 'z'] }, {})).toMatchObject({
      failure: {
        code: 'UnknownReference',
        errors: [{ pointer: '/waves/0/clusters', reason: 'the service is not on z' }],
      },
    })
  })

  it('are refused when they leave a cluster out', () => {
    expect(plan({ clusters: ['a'] })).toMatchObject({
      failure: { code: 'InvalidCombination', detail: 'No wave takes b, c, d.' },
    })
  })
})
