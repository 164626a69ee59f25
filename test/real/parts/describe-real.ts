import { describe, it } from 'vitest'
import { findParts, type Parts } from './parts.ts'

/** What a suite needs: `api` a real API server, `mesh` also the namespace that run.ts makes. */
export type Need = 'api' | 'mesh'

/**
 * A suite on real parts. Where they are missing it is skipped, and its title says why; in CI (`CI=true`) it fails instead.
 */
export function describeReal(title: string, need: Need, body: (parts: Parts) => void): void {
  const found = findParts()
  const reason = found.ok ? whyNotHere(need) : found.missing
  if (found.ok && reason === null) {
    describe(title, () => body(found.parts))
    return
  }
  if (process.env.CI === 'true') throw new Error(`${title}: ${reason}`)
  console.warn(`skipped: ${title}: ${reason}`)
  describe.skip(title, () => it(`was skipped: ${reason}`, () => {}))
}

function whyNotHere(need: Need): string | null {
  if (need === 'api' || process.env.MESHWRIGHT_REAL_NAMESPACE) return null
  return 'it runs in a network namespace of its own, made by `npm run test:real`'
}
