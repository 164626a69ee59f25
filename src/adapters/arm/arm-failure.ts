import { isPortError, PortError, type PortErrorKind } from '../../ports/port-error.ts'
import { errorCode, networkFailure, retryAfterMs } from '../network-failure.ts'
import { noToken } from '../no-token.ts'

/** The parts of the SDK's `RestError` that tell failures apart. */
interface ArmTrouble {
  readonly statusCode?: number
  readonly code?: string
  readonly response?: { readonly headers?: { get(name: string): string | undefined } }
}

/** Azure waits at least this long where it throttles and does not say how long. */
const LEAST_WAIT_MS = 5000

const KINDS: Readonly<Record<number, readonly [kind: PortErrorKind, reason: string]>> = {
  400: ['invalid', 'ArmInvalid'],
  401: ['denied', 'TokenRefused'],
  403: ['denied', 'ArmDenied'],
  404: ['not-found', 'ClusterGone'],
  409: ['unavailable', 'ArmBusy'],
  429: ['throttled', 'ArmThrottled'],
}

/**
 * Any failure of a call to Azure Resource Manager as PortError. Of the answer only its error code is told, and the SDK's
 * error is left out: it holds the request with its token.
 */
export function armFailure(system: string, error: unknown, now: number): PortError {
  if (isPortError(error)) return error.reason === 'Timeout' ? unavailable(system, error.message) : error
  const tokenless = noToken(system, error)
  if (tokenless) return tokenless
  const trouble = (error ?? {}) as ArmTrouble
  const { statusCode } = trouble
  if (statusCode === undefined) {
    const name = error instanceof Error && errorCode(error) === undefined ? ` (${error.name})` : ''
    return unavailable(system, `${networkFailure(system, error).message}${name}`)
  }
  const [kind, reason] = KINDS[statusCode] ?? ['unavailable', 'ArmUnavailable']
  const code = trouble.code !== undefined && /^\w{1,64}$/.test(trouble.code) ? ` ${trouble.code}` : ''
  const told = retryAfterMs(trouble.response?.headers?.get('retry-after'), now)
  const wait = kind === 'throttled' ? (told ?? LEAST_WAIT_MS) : told
  const message = `${system} answered ${statusCode}${code}${HELP[reason] ?? ''}`
  return new PortError(kind, system, message, { reason, ...(wait === undefined ? {} : { retryAfterMs: wait }) })
}

const HELP: Readonly<Record<string, string>> = {
  ArmDenied: ': Meshwright needs the role Azure Kubernetes Service Cluster User Role on the cluster',
  ClusterGone: ': there is no such cluster',
}

function unavailable(system: string, message: string): PortError {
  return new PortError('unavailable', system, message, { reason: 'ArmUnavailable' })
}
