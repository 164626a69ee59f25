import type { TokenCredential } from '@azure/core-auth'
import type { Clock } from '../ports/clock.ts'
import { withDeadline } from './deadline.ts'

const TOKEN_DEADLINE_MS = 5000

/**
 * A credential that gives up after five seconds: throws PortError `unavailable` (`Timeout`). SDKs share a question that is on
 * its way among all who need its token, so that one without an answer would hold every call of the process for good.
 */
export function withTokenDeadline(credential: TokenCredential, clock: Clock): TokenCredential {
  return {
    getToken(scopes, options = {}) {
      const given = options.abortSignal
      return withDeadline(clock, TOKEN_DEADLINE_MS, 'Entra ID', (late) => {
        const abortSignal = given instanceof AbortSignal ? AbortSignal.any([given, late]) : late
        return credential.getToken(scopes, { ...options, abortSignal })
      })
    },
  }
}
