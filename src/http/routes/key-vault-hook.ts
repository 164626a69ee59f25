import * as z from 'zod'
import { receiveVaultEvents } from '../../certificates/receive-vault-events.ts'
import { receiveSecretEvents } from '../../mesh-ca/receive-secret-events.ts'
import { fail, type Result, succeed } from '../../model/failure.ts'
import { readEventGrid } from '../hooks/key-vault-events.ts'
import { refuseHook } from '../hooks/refuse-hook.ts'
import { isOneOf } from '../hooks/same-secret.ts'
import { type Answer, type Call, type Route, rawRoute } from '../route.ts'

const MOST_BYTES = 1_048_576
/** The header that the Event Grid subscription is to send along (a static, secret delivery property). */
const KEY = 'x-meshwright-key'

const taken = z
  .object({
    validationResponse: z.string().optional().describe('Answer to the handshake of a new subscription'),
    queued: z.int().optional().describe('Certificates and mesh CAs that are looked at now'),
  })
  .meta({ id: 'KeyVaultEventsTaken' })

export const KEY_VAULT_HOOK_ROUTES: readonly Route[] = [
  rawRoute({
    method: 'POST',
    path: '/hooks/key-vault',
    root: 'both',
    operationId: 'hookKeyVault',
    tag: 'Hooks',
    summary: 'Events of Key Vault, sent by Event Grid',
    description:
      'Event Grid schema. The subscription sends the secret in the header x-meshwright-key. Events are a hint: the hourly scan finds the same.',
    access: 'open',
    rawBody: { mostBytes: MOST_BYTES, types: ['application/json'] },
    answers: { 200: { description: 'Taken', schema: taken } },
    failures: ['Unauthenticated', 'InvalidRequest'],
    handle,
  }),
]

async function handle({ deps, request, body }: Call<Uint8Array, unknown>): Promise<Result<Answer>> {
  const { keyVault } = deps.hooks
  const key = request.headers[KEY]
  const isKnown = key !== undefined && isOneOf(key, keyVault)
  const call = readEventGrid(body)
  // A handshake proves that the address is ours, and gives nothing away: it may come before the subscription's headers do.
  const isFirst = key === undefined && keyVault.length > 0 && call.kind === 'handshake'
  if (!isKnown && !isFirst) return refuseHook(deps, 'keyVault', 'no valid key')
  if (call.kind === 'broken') return fail('InvalidRequest', 'The body holds no events in the Event Grid schema.')
  if (call.kind === 'handshake') return succeed({ status: 200, json: { validationResponse: call.code } })
  const certificates = await receiveVaultEvents(deps, call.events)
  const cas = await receiveSecretEvents(deps, call.secrets)
  return succeed({ status: 200, json: { queued: certificates + cas } })
}
