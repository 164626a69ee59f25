import { isPortError, PortError, type PortErrorKind } from '../../ports/port-error.ts'
import { networkFailure } from '../network-failure.ts'

export const COSMOS = 'Cosmos DB'

/** The replica does not have the asked session yet: the document may well exist. */
const SESSION_NOT_AVAILABLE = 1002
/** The container or database itself is missing. */
const OWNER_MISSING = 1003

const KINDS: Readonly<Record<number, PortErrorKind>> = {
  400: 'invalid',
  401: 'denied',
  403: 'denied',
  404: 'not-found',
  409: 'conflict',
  412: 'precondition',
  413: 'invalid',
  429: 'throttled',
}

/** What the SDK throws, as PortError. Anything that is not an answer of Cosmos DB is `unavailable`. */
export function cosmosFailure(error: unknown): PortError {
  if (isPortError(error)) return error
  const answer = error as { code?: unknown; substatus?: unknown; message?: unknown; retryAfterInMs?: unknown }
  if (typeof answer?.code !== 'number') return networkFailure(COSMOS, error)
  const substatus = typeof answer.substatus === 'number' ? answer.substatus : undefined
  const told = firstLine(answer.message)
  if (answer.code === 404) return missing(substatus, told)
  const kind = KINDS[answer.code] ?? 'unavailable'
  const retryAfterMs = typeof answer.retryAfterInMs === 'number' ? { retryAfterMs: answer.retryAfterInMs } : {}
  return new PortError(kind, COSMOS, `${COSMOS} answered ${answer.code}${told}`, { ...retryAfterMs })
}

/** What a 404 means: only substatus 0 says that the document is not there. */
export function missing(substatus: number | undefined, told = ''): PortError {
  if (substatus === SESSION_NOT_AVAILABLE) {
    const message = `${COSMOS} has not caught up with the session yet`
    return new PortError('unavailable', COSMOS, message, { reason: 'SessionNotAvailable' })
  }
  if (substatus === OWNER_MISSING) {
    return new PortError('unavailable', COSMOS, `${COSMOS} has no such database or container`, {
      reason: 'ContainerMissing',
    })
  }
  return new PortError('not-found', COSMOS, `${COSMOS} answered 404${told}`)
}

function firstLine(message: unknown): string {
  const line = typeof message === 'string' ? (message.split(/\r?\n/, 1)[0] ?? '').slice(0, 200) : ''
  return line === '' ? '' : `: ${line}`
}
