import type { AddressPolicy } from '../ports/address-policy.ts'
import type { Clock } from '../ports/clock.ts'
import { isPortError, PortError } from '../ports/port-error.ts'
import { isPassing } from '../ports/vault-trouble.ts'
import type { WebhookAnswer, WebhookRequest, Webhooks } from '../ports/webhooks.ts'
import { withDeadline } from './deadline.ts'
import { type Fetch, readBounded } from './http-answer.ts'
import { networkFailure, retryAfterMs } from './network-failure.ts'
import { plainText, webhookAnswer } from './webhook-answer.ts'
import { signatureHeaders, signingKeys } from './webhook-signature.ts'

export interface WebhookSettings {
  /** Carries the requests; must be able to leave redirects alone (`redirect: 'manual'`), and best checks what it connects to. */
  readonly fetch: Fetch
  readonly addresses: AddressPolicy
  /** The text of a secret of Meshwright's own vault, by name. Throws PortError. */
  readonly secret: (name: string) => Promise<string>
}

const MAX_ANSWER_BYTES = 64 * 1024
const VAULT_AGAIN_MS = 5000

/** Calls receivers of webhooks as Standard Webhooks has it. The secret is read anew for each call, so that a new one counts at once. */
export function webhookCaller(settings: WebhookSettings, clock: Clock): Webhooks {
  return {
    async call(request) {
      const host = URL.parse(request.url)?.host ?? 'the webhook'
      const startedMs = clock.now()
      try {
        const reading = () => readKeys(settings, request.secret)
        const keys = await withDeadline(clock, request.deadlineMs, 'Key Vault', reading).catch(notAsked)
        if (isAnswer(keys)) return keys
        const leftMs = request.deadlineMs - (clock.now() - startedMs)
        return await withDeadline(clock, leftMs, host, async (signal) => {
          await checkAddress(request.url, host, settings.addresses)
          return post(settings.fetch, request, { host, keys, now: clock.now(), signal })
        })
      } catch (error) {
        const failure = isPortError(error) ? error : networkFailure(host, error)
        return { outcome: 'failed', detail: plainText(failure.message) }
      }
    },
  }
}

/** Our vault gave no answer: nobody was asked, so it counts as no failure of the other side. What a person must mend is thrown on. */
function notAsked(error: unknown): WebhookAnswer {
  if (!isPortError(error) || !isPassing({ kind: error.kind, reason: error.reason ?? '' })) throw error
  const retryAfterMs = error.retryAfterMs ?? VAULT_AGAIN_MS
  return { outcome: 'waiting', detail: plainText(`it was not asked: ${error.message}`), retryAfterMs }
}

function isAnswer(keys: readonly Uint8Array[] | WebhookAnswer): keys is WebhookAnswer {
  return 'outcome' in keys
}

async function checkAddress(url: string, host: string, addresses: AddressPolicy): Promise<void> {
  const reason = await addresses.refusal(url)
  if (reason !== undefined) throw new PortError('denied', host, `${host} is not called: ${reason}`)
}

async function readKeys({ secret }: WebhookSettings, name: string): Promise<readonly Uint8Array[]> {
  const form = 'whsec_ and 32 random bytes in base64 (docs/rollouts.md, Webhook steps)'
  const text = await secret(name).catch((error: unknown) => {
    if (!isPortError(error, 'not-found')) throw error
    throw new PortError('not-found', error.system, `the vault has no secret ${name}: store ${form} under this name`)
  })
  const keys = signingKeys(text)
  if (keys) return keys
  throw new PortError('invalid', 'Key Vault', `the secret ${name} is no signing key: it must be ${form}`)
}

interface Posting {
  readonly host: string
  readonly keys: readonly Uint8Array[]
  readonly now: number
  readonly signal: AbortSignal
}

async function post(
  fetch: Fetch,
  { id, url, body }: WebhookRequest,
  { host, keys, now, signal }: Posting,
): Promise<WebhookAnswer> {
  const text = JSON.stringify(body)
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      accept: 'application/json',
      'content-type': 'application/json; charset=utf-8',
      'user-agent': 'meshwright',
      ...signatureHeaders(keys, id, now, text),
    },
    body: text,
    redirect: 'manual',
    signal,
  })
  const { status, headers } = response
  const answer = await readBounded(response, MAX_ANSWER_BYTES, host)
  const wait = retryAfterMs(headers.get('retry-after'), now)
  const received = { status, contentType: headers.get('content-type'), text: answer }
  return { ...webhookAnswer(host, received), ...(wait === undefined ? {} : { retryAfterMs: wait }) }
}
