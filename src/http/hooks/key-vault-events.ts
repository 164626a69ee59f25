import type { VaultEvent } from '../../certificates/receive-vault-events.ts'
import type { SecretEvent } from '../../mesh-ca/receive-secret-events.ts'

/** What Event Grid posts: a handshake, or events of which some are about certificates or secrets. */
export type EventGridCall =
  | { readonly kind: 'handshake'; readonly code: string }
  | { readonly kind: 'events'; readonly events: readonly VaultEvent[]; readonly secrets: readonly SecretEvent[] }
  | { readonly kind: 'broken' }

const HANDSHAKE = 'microsoft.eventgrid.subscriptionvalidationevent'
const CERTIFICATE = 'microsoft.keyvault.certificate'
const SECRET = 'microsoft.keyvault.secret'
const MOST = 1000

/**
 * Reads a delivery in the Event Grid schema. Names and values are taken in any case and trimmed: the published samples
 * differ in both. Source: learn.microsoft.com/azure/event-grid/event-schema-key-vault and /end-point-validation-event-grid-events-schema.
 */
export function readEventGrid(body: Uint8Array): EventGridCall {
  const parsed = parseJson(body)
  if (!Array.isArray(parsed) || parsed.length > MOST) return { kind: 'broken' }
  const records = parsed.map(lowered)
  const handshake = records.find((record) => typeOf(record) === HANDSHAKE)
  if (handshake) {
    const code = text(lowered(handshake.data).validationcode)
    return code !== undefined && /^[\w-]{1,200}$/.test(code) ? { kind: 'handshake', code } : { kind: 'broken' }
  }
  return { kind: 'events', events: objectsOf(records, CERTIFICATE), secrets: objectsOf(records, SECRET) }
}

/** The objects that events of one kind are about. */
function objectsOf(records: readonly Readonly<Record<string, unknown>>[], kind: string): readonly VaultEvent[] {
  return records
    .filter((record) => typeOf(record)?.startsWith(kind))
    .flatMap((record) => {
      const data = lowered(record.data)
      const [vault, name] = [text(data.vaultname), text(data.objectname)]
      return vault === undefined || name === undefined ? [] : [{ vault, name }]
    })
}

function typeOf(record: Readonly<Record<string, unknown>>): string | undefined {
  return text(record.eventtype)?.toLowerCase()
}

/** The members of an object under their names in lower case, trimmed. */
function lowered(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return {}
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name.trim().toLowerCase(), member]))
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch {
    return undefined
  }
}
