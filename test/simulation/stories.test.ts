import { describe, expect, it } from 'vitest'
import { LIMIT_MS, simulate } from './simulate.ts'

/** The other half of the hundred is in crashes.test.ts, so that two workers share them. */
describe('a simulated world', () => {
  it('keeps its promises in 60 stories', { timeout: LIMIT_MS }, async () => {
    expect(await simulate('--seed', '1', '--seeds', '60', '--steps', '6')).toMatch(/^60 runs passed, 0 failed/m)
  })

  it('keeps them in 3 stories of mesh CAs', { timeout: LIMIT_MS }, async () => {
    const options = ['--mesh-ca', '--seed', '1', '--seeds', '3', '--steps', '8']
    expect(await simulate(...options)).toMatch(/^3 runs passed, 0 failed/m)
  })
})
