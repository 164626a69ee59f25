import * as z from 'zod'
import { type EmulatorRequest, type EmulatorResponse, jsonBody } from '../emulator.ts'
import { badParameter } from './errors.ts'

/** One call of a vault, past authentication. */
export interface VaultCall {
  readonly request: EmulatorRequest
  /** `sandbox.vault.azure.net`. */
  readonly host: string
  readonly query: URLSearchParams
  /** The segments of the path after the room: `certificates`, `secrets`, `keys`, and `deleted…` of each. */
  readonly path: readonly string[]
  /** Seconds since the epoch. */
  readonly now: number
}

export type Handler = (call: VaultCall) => EmulatorResponse | Promise<EmulatorResponse>

/** Attributes that a caller may set. */
export const wireAttributes = z.object({
  enabled: z.boolean().nullish(),
  nbf: z.int().nullish(),
  exp: z.int().nullish(),
})
export const wireTags = z.record(z.string().max(512), z.string().max(256)).nullish()

/** The call's body in that shape; throws a 400 that names what is wrong. */
export function bodyOf<T>(call: VaultCall, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(json(call))
  if (parsed.success) return parsed.data
  const where = parsed.error.issues[0]?.path.join('.') ?? ''
  throw badParameter(where === '' ? 'The request body is not valid' : `Property ${where} has invalid value`)
}

function json(call: VaultCall): unknown {
  try {
    return jsonBody(call.request)
  } catch {
    throw badParameter('The request body is not valid JSON')
  }
}

/** The name in the path; throws a 400 for one that Key Vault does not take. */
export function nameOf(call: VaultCall, kind: 'certificate' | 'secret' | 'key'): string {
  const name = call.path[0] ?? ''
  if (/^[0-9a-zA-Z-]{1,127}$/.test(name)) return name
  throw badParameter(`The request URI contains an invalid name: ${name} (${kind})`)
}
