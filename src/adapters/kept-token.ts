import type { TokenCredential } from '@azure/core-auth'
import type { Clock } from '../ports/clock.ts'
import { isPortError, PortError } from '../ports/port-error.ts'
import { withDeadline } from './deadline.ts'
import { noToken } from './no-token.ts'

const deadlineMs = 10_000
const renewBeforeMs = 5 * 60_000
/** A token that is about to end is still used while no other can be had; it is asked for again after this time. */
const againAfterMs = 30_000

/** A token of our identity for one service, for requests that no SDK signs. */
export interface KeptToken {
  /** Throws PortError `denied` (`TokenRefused`) or `unavailable`. */
  get(): Promise<string>
  /** The service did not take it: the next `get` asks for another. */
  refused(token: string): void
}

interface Token {
  readonly text: string
  readonly endsAt: number
}

/**
 * Keeps a token for `scope` and renews it five minutes before it ends; one question at a time. `system` is who gives it, for
 * errors.
 */
export function keptToken(credential: TokenCredential, scope: string, system: string, clock: Clock): KeptToken {
  let kept: Token | undefined
  let asking: Promise<Token> | undefined
  let askedAt = Number.NEGATIVE_INFINITY
  const ask = (): Promise<Token> => {
    askedAt = clock.now()
    asking ??= askFor(credential, scope, system, clock)
      .then((token) => {
        kept = token
        return token
      })
      .finally(() => {
        asking = undefined
      })
    return asking
  }
  return {
    async get() {
      const now = clock.now()
      if (kept === undefined || kept.endsAt <= now) return (await ask()).text
      if (kept.endsAt - now > renewBeforeMs || now - askedAt < againAfterMs) return kept.text
      const { text } = kept
      return ask().then(
        (token) => token.text,
        () => text,
      )
    },
    refused(token) {
      if (kept?.text === token) kept = undefined
    },
  }
}

async function askFor(credential: TokenCredential, scope: string, system: string, clock: Clock): Promise<Token> {
  try {
    const token = await withDeadline(clock, deadlineMs, system, (abortSignal) =>
      credential.getToken(scope, { abortSignal }),
    )
    if (token) return { text: token.token, endsAt: token.expiresOnTimestamp }
    throw new PortError('denied', system, `${system}: Entra ID gave no token`, { reason: 'TokenRefused' })
  } catch (error) {
    if (isPortError(error)) throw error
    // The cause is left out: it may hold what was sent.
    throw noToken(system, error) ?? new PortError('unavailable', system, `${system} does not answer`)
  }
}
