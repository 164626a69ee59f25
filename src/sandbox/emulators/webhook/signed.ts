import { createHmac, timingSafeEqual } from 'node:crypto'
import type { EmulatorRequest } from '../emulator.ts'

const MOST_SKEW_MS = 5 * 60_000

/** Why a call is not taken for one of Standard Webhooks under the secret (`whsec_…`); undefined when it is. */
export function whyNotSigned(request: EmulatorRequest, secret: string, now: number): string | undefined {
  const {
    'webhook-id': id,
    'webhook-timestamp': timestamp = '',
    'webhook-signature': signatures = '',
  } = request.headers
  if (!id || !/^\d{1,12}$/.test(timestamp)) return 'webhook-id or webhook-timestamp is missing'
  if (Math.abs(now - Number(timestamp) * 1000) > MOST_SKEW_MS) return 'webhook-timestamp is more than five minutes away'
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64')
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(request.body).digest()
  const isGood = signatures.split(' ').some((signature) => {
    const given = Buffer.from(signature.replace(/^v1,/, ''), 'base64')
    return signature.startsWith('v1,') && given.length === expected.length && timingSafeEqual(given, expected)
  })
  return isGood ? undefined : 'no signature in webhook-signature fits'
}
