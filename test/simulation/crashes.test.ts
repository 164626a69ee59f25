import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { LIMIT_MS, simulate } from './simulate.ts'

describe('a simulated world', () => {
  it('keeps its promises in 36 stories', { timeout: LIMIT_MS }, async () => {
    expect(await simulate('--seed', '61', '--seeds', '36', '--steps', '6')).toMatch(/^36 runs passed, 0 failed/m)
  })

  it('tells a story twice in the same words', { timeout: LIMIT_MS }, async () => {
    const options = ['--seed', '97', '--seeds', '4', '--steps', '6', '--twice']
    expect(await simulate(...options)).toMatch(/^4 runs passed, 0 failed/m)
  })

  it('comes through a crash wherever it happens', { timeout: LIMIT_MS }, async () => {
    const sample = ['--tale', 'rollout', '--stride', '131', '--first', '31']
    expect(await simulate('--seeds', '0', '--crash-points', ...sample)).toMatch(/^\d+ runs passed, 0 failed/m)
  })

  it('comes through a crash in every phase of a rollout, in waves and in steps of all kinds', {
    timeout: LIMIT_MS,
  }, async () => {
    const sample = ['--tale', 'strategies', '--stride', '2911', '--first', '1030']
    expect(await simulate('--seeds', '0', '--crash-points', ...sample)).toMatch(/^\d+ runs passed, 0 failed/m)
  })

  it('loses no certificate and makes none twice wherever it crashes', { timeout: LIMIT_MS }, async () => {
    const sample = ['--tale', 'certificate', '--stride', '389', '--first', '83']
    expect(await simulate('--seeds', '0', '--crash-points', ...sample)).toMatch(/^\d+ runs passed, 0 failed/m)
  })

  it('leaves nobody without trust while a mesh CA is rotated, wherever it crashes', { timeout: LIMIT_MS }, async () => {
    const sample = ['--distinct', '--tale', 'mesh-ca', '--stride', '802', '--first', '97']
    expect(await simulate('--seeds', '0', '--crash-points', ...sample)).toMatch(/^\d+ runs passed, 0 failed/m)
    const long = ['--distinct', '--tale', 'mesh-ca-long', '--stride', '3001', '--first', '997']
    expect(await simulate('--seeds', '0', '--crash-points', ...long)).toMatch(/^[1-9]\d* runs passed, 0 failed/m)
  })

  it('comes back from a rotation of a mesh CA in every phase, wherever it crashes', { timeout: LIMIT_MS }, async () => {
    const sample = ['--distinct', '--tale', 'mesh-ca-back', '--stride', '1307', '--first', '149']
    expect(await simulate('--seeds', '0', '--crash-points', ...sample)).toMatch(/^\d+ runs passed, 0 failed/m)
  })

  it('takes what another CA signed, wherever it crashes', { timeout: LIMIT_MS }, async () => {
    const sample = ['--distinct', '--tale', 'mesh-ca-external', '--stride', '809', '--first', '61']
    expect(await simulate('--seeds', '0', '--crash-points', ...sample)).toMatch(/^\d+ runs passed, 0 failed/m)
  })

  it('comes through what once broke it', { timeout: LIMIT_MS }, async () => {
    for (const { how } of regressions()) expect(await simulate(...how.split(' '))).toMatch(/ runs passed, 0 failed/)
  })
})

/** Options of runs that once failed, each with what it had found. */
function regressions(): readonly { readonly how: string; readonly found: string }[] {
  return JSON.parse(readFileSync(join(import.meta.dirname, 'regressions', 'runs.json'), 'utf8'))
}
