import { shortId } from '../model/digest.ts'
import { type FoundDocument, SCHEMA } from '../model/documents.ts'
import type { EventRecord } from '../model/event.ts'
import { lifetimeMs, PAGE_DAYS, passedMarks, WARNING_DAYS, type Warning } from '../model/expiry.ts'
import { type FoundCertificate, type FoundState, foundId, foundKey } from '../model/found.ts'
import { SCHEDULE } from '../model/identity.ts'
import { timestamp } from '../model/names.ts'
import type { OutboxEntry } from '../model/outbox.ts'

/** What one look found. */
export interface FoundLook {
  readonly state: FoundState['state']
  readonly reason: string
  readonly message: string
  /** Absent: they could not be seen, and are as before. */
  readonly certificates?: readonly FoundCertificate[]
  readonly unreadable?: number
  /** Epoch milliseconds: look again then, sooner than the next hour. */
  readonly again?: number
}

/** Those that end first, so that a document stays small. */
const MOST = 500

/**
 * The document of a place after a look. Of certificates for which `isKnown` is false, which nobody registered, people are told
 * at each mark before the end, once each, also while the place cannot be seen: time goes on. Pure. `now` is epoch milliseconds.
 */
export function nextFound(
  place: Pick<FoundState, 'place' | 'name'>,
  before: FoundDocument | undefined,
  look: FoundLook,
  isKnown: (certificate: FoundCertificate) => boolean,
  now: number,
): FoundDocument {
  const at = timestamp(now)
  const { dueAt: _due, ...base } = before ?? empty(place, at)
  const sorted = look.certificates?.toSorted((one, other) => (one.notAfter < other.notAfter ? -1 : 1))
  const seen = sorted && {
    certificates: sorted.slice(0, MOST),
    left: Math.max(0, sorted.length - MOST),
    unreadable: look.unreadable ?? 0,
    lookedAt: at,
  }
  const { state, reason, message } = look
  const attempts = state === 'failed' ? base.attempts + 1 : 0
  const next: FoundDocument = { ...base, ...seen, state, reason, message, attempts, updatedAt: at }
  const { warned, events } = warn(next, isKnown, now)
  const due = look.again === undefined ? {} : { dueAt: timestamp(look.again) }
  return { ...next, warned, outbox: [...base.outbox, ...events], ...due }
}

function empty({ place, name }: Pick<FoundState, 'place' | 'name'>, at: string): FoundDocument {
  const base = { schema: SCHEMA, kind: 'found', outbox: [], createdAt: at, updatedAt: at } as const
  const nothing = { certificates: [], left: 0, unreadable: 0, warned: {}, attempts: 0 } as const
  return { ...base, place, name, state: 'failed', reason: 'Begun', message: '', ...nothing }
}

function warn(document: FoundDocument, isKnown: (certificate: FoundCertificate) => boolean, now: number) {
  const warned: Record<string, readonly number[]> = {}
  const events: OutboxEntry[] = []
  for (const certificate of document.certificates) {
    const id = foundId(certificate)
    const told = document.warned[id] ?? []
    if (isKnown(certificate)) {
      if (told.length > 0) warned[id] = told
      continue
    }
    const warning = warningOf(certificate, told, now)
    if (warning.passed.length > 0) warned[id] = warning.passed
    if (warning.isNew) events.push(eventOf(document, certificate, warning, now))
  }
  return { warned, events }
}

/** A short life is near its end when its last third has begun; a list does not tell when a life began. */
function warningOf({ notBefore, notAfter }: FoundCertificate, told: readonly number[], now: number): Warning {
  const lead = notBefore === undefined ? Number.MAX_SAFE_INTEGER : lifetimeMs({ notBefore, notAfter }) / 3
  return passedMarks(WARNING_DAYS, { notBefore: notBefore ?? '', notAfter }, lead, told, now)
}

const WHAT: Readonly<Record<FoundCertificate['kind'], string>> = {
  'mesh-root': 'Root',
  'mesh-signer': 'Intermediate',
  'trust-anchor': 'Trust anchor',
  'vault-certificate': 'Certificate',
}

function eventOf(
  found: FoundDocument,
  certificate: FoundCertificate,
  { passed, daysLeft }: Warning,
  now: number,
): OutboxEntry {
  const { kind, object, serial, fingerprint, subject, notAfter, namespaces } = certificate
  const where = found.place === 'vault' ? `vault ${found.name}` : `cluster ${found.name}`
  const named = [WHAT[kind], ...(serial === undefined ? [] : [serial]), ...(subject ? [`(${subject})`] : [])].join(' ')
  const left =
    daysLeft > 0
      ? `ends in ${daysLeft} ${daysLeft === 1 ? 'day' : 'days'}, at ${notAfter}`
      : `ends or ended at ${notAfter}`
  const id = shortId(24, 'near-expiry', foundKey(found), foundId(certificate), passed.at(-1))
  const event: EventRecord = {
    id,
    type: 'certificate.near-expiry',
    time: timestamp(now),
    subject: found.place === 'vault' ? `vaults/${found.name}` : `clusters/${found.name}`,
    actor: SCHEDULE,
    reason: 'EndsSoon',
    message: `${named} of ${where} ${left}. Nobody registered it (${object}): nobody renews it by Meshwright.`,
    data: {
      registered: false,
      page: daysLeft <= PAGE_DAYS,
      ...{ what: kind, daysLeft, notAfter, object },
      ...(found.place === 'vault' ? { vault: found.name } : { cluster: found.name }),
      ...(serial === undefined ? {} : { serial }),
      ...(fingerprint === undefined ? {} : { fingerprint }),
      ...(namespaces === undefined ? {} : { namespaces }),
    },
  }
  return { id: event.id, kind: 'event', event }
}
