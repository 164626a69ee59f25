import type { EmulatorRequest } from '../emulator.ts'

/** Whether a token is good for an audience; the Entra emulator's own check. */
export type CheckToken = (token: string, audience: string) => Promise<boolean>

/** What a service answers in place of a result, for as long as it is set. */
export interface Fault {
  readonly status: number
  /** Seconds, in the header `Retry-After`. */
  readonly retryAfterS?: number
}

/** Faults of the three services, to be set and taken away while they run. `partial`: logs answer with a part and an error. */
export interface MonitorFaults {
  prometheus?: Fault | undefined
  logs?: Fault | 'partial' | undefined
  metrics?: Fault | undefined
}

/** `missing` and `refused` are answered 401 by all three services. */
export async function accessOf(
  request: EmulatorRequest,
  audience: string,
  check: CheckToken,
): Promise<'good' | 'missing' | 'refused'> {
  const [, token] = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '') ?? []
  if (token === undefined) return 'missing'
  return (await check(token, audience)) ? 'good' : 'refused'
}

/** The header of a fault. */
export function retryHeader({ retryAfterS }: Fault): Record<string, string> {
  return retryAfterS === undefined ? {} : { 'retry-after': String(retryAfterS) }
}
