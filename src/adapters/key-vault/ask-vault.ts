import type { Clock } from '../../ports/clock.ts'
import { isPortError } from '../../ports/port-error.ts'
import { withDeadline } from '../deadline.ts'
import { vaultFailure } from './vault-failure.ts'

const deadlineMs = 10_000

/** Calls a vault by its client: within the deadline, and with no other error than PortError. */
export type Ask<Client> = <T>(call: (client: Client, abortSignal: AbortSignal) => Promise<T>) => Promise<T>

/** `system` names the vault in errors. */
export function askVault<Client>(system: string, client: () => Promise<Client>, clock: Clock): Ask<Client> {
  return async (call) => {
    try {
      return await withDeadline(clock, deadlineMs, system, async (signal) => call(await client(), signal))
    } catch (error) {
      throw vaultFailure(system, error, clock.now())
    }
  }
}

/** Undefined for what is not there. */
export async function orNone<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (isPortError(error, 'not-found')) return undefined
    throw error
  }
}
