import type { EmulatorRequest } from '../emulator.ts'
import type { Container } from './account.ts'
import type { Documents } from './documents.ts'
import { badRequest, CosmosError } from './errors.ts'
import { partitionRanges } from './partitions.ts'

/** What a client has seen: `range:-1#sequence` for each range. */
export function sessionToken(container: Container, documents: Documents): string {
  return partitionRanges(container.partitions)
    .map(({ id }) => `${id}:-1#${documents.lsn()}`)
    .join(',')
}

/**
 * Throws the 404 "read session not available" (sub-status 1002) for a session that has seen more than there is, as
 * after a reset; a 400 for what is no session token.
 */
export function checkSession(request: EmulatorRequest, documents: Documents): void {
  const token = request.headers['x-ms-session-token']
  if (token === undefined || token === '') return
  for (const part of token.split(',')) {
    const match = /^\d+:-?\d+#(\d+)(?:#\d+=\d+)*$/.exec(part)
    if (!match) throw badRequest(`The session token provided '${token}' is invalid.`)
    if (Number(match[1]) > documents.lsn()) {
      throw new CosmosError(404, 'NotFound', 'The read session is not available for the input session token.', 1002)
    }
  }
}
