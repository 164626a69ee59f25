import { stripVTControlCharacters } from 'node:util'
import { describe, expect, it } from 'vitest'
import { drawRollout, type RolloutShown, tellRollout } from '../../../../src/sandbox/demo/picture.ts'

function shown(change: Partial<RolloutShown> = {}): RolloutShown {
  const target = { stable: 'v1', candidate: 'v2', weight: 25 }
  const verdict = { kind: 'errors', stable: { good: 2990, bad: 10 } }
  return {
    id: 'shop.web.k3',
    phase: 'progressing',
    message: 'Step 1 of 2: 25 % for 4s.',
    candidate: 'v2',
    step: 0,
    steps: [{ weight: 25 }, { weight: 50 }],
    weight: 25,
    targets: [
      { ...target, cluster: 'east', observedWeight: 24.4 },
      { ...target, cluster: 'west', weight: 0, observedWeight: null },
    ],
    verdicts: [{ ...verdict, cluster: 'east', verdict: 'harm', candidate: { good: 950, bad: 50 } }],
    ...change,
  }
}

const draw = (rollout: RolloutShown, columns = 80) =>
  drawRollout(rollout, { columns, elapsedMs: 12_900 }).map(stripVTControlCharacters)

describe('the picture of a rollout', () => {
  it('has weights asked and seen, and error shares, by version and cluster', () => {
    expect(draw(shown())).toEqual([
      '',
      '  v2 for v1, step 1 of 2  progressing  12 s',
      '  Step 1 of 2: 25 % for 4s.',
      '',
      '                                      asked    seen  failed of the requests in this step',
      '  east  v1  ███████████████████······    75 %   75.6 %   0.33 %  10 of 3,000',
      '        v2  ██████···················    25 %   24.4 %   5.00 %  50 of 1,000  harm',
      '  west  v1  █████████████████████████   100 %        –  not counted yet',
      '        v2  ·························     0 %        –  not counted yet',
      '',
    ])
  })

  it('folds a long message at the width of the terminal', () => {
    const message = 'gate errors on east: 50 of 1000 requests failed (5.0 %); the limit is 1 %'
    const folded = draw(shown({ message }), 40).slice(2, 4)
    expect(folded).toEqual(['  gate errors on east: 50 of 1000', '  requests failed (5.0 %); the limit is'])
    for (const line of folded) expect(line.length).toBeLessThan(40)
  })

  it('names no step before the first', () => {
    expect(draw(shown({ step: -1, phase: 'preflight' }))[1]).toBe('  v2 for v1  preflight  12 s')
  })
})

describe('a rollout in plain lines', () => {
  it('has one line for the rollout and one a cluster, each of which stands alone', () => {
    expect(tellRollout(shown()).map(stripVTControlCharacters)).toEqual([
      'v2 for v1, step 1 of 2: progressing. Step 1 of 2: 25 % for 4s.',
      'v2 on east: v1 asked 75 %, seen 75.6 %, 0.33 %  10 of 3,000 | v2 asked 25 %, seen 24.4 %, 5.00 %  50 of 1,000  harm',
      'v2 on west: v1 asked 100 %, seen –, not counted yet | v2 asked 0 %, seen –, not counted yet',
    ])
  })
})
