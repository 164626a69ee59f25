import { isPortError, PortError, type PortErrorKind } from '../../ports/port-error.ts'
import { networkFailure, retryAfterMs } from '../network-failure.ts'
import { noToken } from '../no-token.ts'

/** The parts of the SDK's `RestError` that tell failures apart. */
interface VaultTrouble {
  readonly statusCode?: number
  readonly code?: string
  readonly message?: string
  readonly details?: {
    readonly error?: {
      readonly code?: string
      readonly message?: string
      readonly innerError?: { readonly code?: string }
    }
  }
  readonly response?: { readonly headers?: { get(name: string): string | undefined } }
}

/** Key Vault counts calls in windows of ten seconds. */
const WINDOW_MS = 10_000

const KINDS: Readonly<Record<number, PortErrorKind>> = {
  400: 'invalid',
  401: 'denied',
  403: 'denied',
  404: 'not-found',
  409: 'conflict',
  429: 'throttled',
}

/** What a name that cannot be used says inside its 409. */
const DELETED = ['ObjectIsDeletedButRecoverable', 'ObjectIsBeingDeleted', 'ObjectIsBeingRecovered']

/**
 * Any failure of a call to Key Vault as PortError. The vault's words are told only for a request that it finds wrong; the
 * SDK's error is left out, for it holds the request with its token and may hold a secret's answer.
 */
export function vaultFailure(system: string, error: unknown, now: number): PortError {
  if (isPortError(error)) return error
  const tokenless = noToken(system, error)
  if (tokenless) return tokenless
  const trouble = (error ?? {}) as VaultTrouble
  const { statusCode } = trouble
  if (statusCode === undefined) return belowHttp(system, error, trouble)
  const kind = KINDS[statusCode] ?? 'unavailable'
  const reason = reasonOf(kind, trouble)
  const message = `${system} answered ${statusCode}${reason === undefined ? '' : ` (${reason})`}${words(kind, trouble)}`
  const told = retryAfterMs(trouble.response?.headers?.get('retry-after'), now)
  const wait = kind === 'throttled' ? (told ?? WINDOW_MS) : told
  return new PortError(kind, system, message, {
    ...(reason === undefined ? {} : { reason }),
    ...(wait === undefined ? {} : { retryAfterMs: wait }),
  })
}

function belowHttp(system: string, error: unknown, { message = '' }: VaultTrouble): PortError {
  // The SDK found that the vault asks for a token of another service.
  if (message.startsWith('The challenge'))
    return new PortError('denied', system, `${system} asks for a token of another service`, {
      reason: 'WrongChallenge',
    })
  const { message: told, reason } = networkFailure(system, error)
  return new PortError('unavailable', system, told, reason === undefined ? {} : { reason })
}

function reasonOf(kind: PortErrorKind, trouble: VaultTrouble): string | undefined {
  const inner = trouble.details?.error?.innerError?.code
  if (kind === 'denied' && /hardware key operation/i.test(trouble.details?.error?.message ?? '')) return 'HsmNotInTier'
  if (kind === 'conflict') {
    if (inner !== undefined && DELETED.includes(inner)) return 'SoftDeleted'
    return /pending/i.test(trouble.details?.error?.message ?? '') ? 'Pending' : 'NameTaken'
  }
  const code = inner ?? trouble.details?.error?.code ?? trouble.code
  return code !== undefined && /^\w{1,64}$/.test(code) ? code : undefined
}

function words(kind: PortErrorKind, trouble: VaultTrouble): string {
  const told = trouble.details?.error?.message
  return kind === 'invalid' && told !== undefined ? `: ${told.replace(/\s+/g, ' ').slice(0, 200)}` : ''
}

/** The answer of a call that carries a secret: what the vault says of it could repeat a part, so its words are dropped. */
export async function silently<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (error) {
    const details = (error as VaultTrouble | undefined)?.details?.error
    if (typeof details === 'object' && details !== null) Reflect.deleteProperty(details, 'message')
    throw error
  }
}
