import { isPortError, type PortErrorKind } from './port-error.ts'

/** A vault that did not do what it was asked. */
export interface Trouble {
  readonly kind: PortErrorKind
  readonly reason: string
  readonly message: string
  readonly retryAfterMs?: number
}

/** What a vault's refusal means for who asked it. Throws what is no error of a port. */
export function troubleOf(error: unknown): Trouble {
  if (!isPortError(error)) throw error
  const { kind, message, retryAfterMs } = error
  return {
    kind,
    reason: error.reason ?? REASONS[kind],
    message: `${message}${message.endsWith('.') ? '' : '.'}`,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  }
}

const REASONS: Readonly<Record<Trouble['kind'], string>> = {
  'not-found': 'VaultNotFound',
  conflict: 'VaultConflict',
  precondition: 'VaultConflict',
  throttled: 'VaultThrottled',
  unavailable: 'VaultUnavailable',
  denied: 'VaultDenied',
  invalid: 'VaultRefused',
}

/** Trouble that time may end, as against one that a person must. Without a token of Entra ID the vault was not even asked. */
export function isPassing({ kind, reason }: Pick<Trouble, 'kind' | 'reason'>): boolean {
  if (reason === 'TokenRefused') return true
  return kind === 'throttled' || kind === 'unavailable' || kind === 'conflict' || kind === 'precondition'
}

/** Did the vault not answer, in place of what was to be seen there? */
export function isTrouble<Seen extends object>(vault: Seen | Trouble): vault is Trouble {
  return 'kind' in vault
}
