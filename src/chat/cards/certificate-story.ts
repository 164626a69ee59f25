import type { CertificateDocument } from '../../model/documents.ts'
import type { EventRecord } from '../../model/event.ts'
import { plainText, safeLink } from './plain-text.ts'
import type { Fact, Story } from './story.ts'

const HEADLINES: Readonly<Record<string, readonly [tone: Story['tone'], title: string]>> = {
  'certificate.near-expiry': ['warning', 'ends soon'],
  'certificate.awaiting-issuer': ['warning', 'waits for its issuer to sign'],
  'certificate.rotated': ['good', 'was rotated'],
  'certificate.rotation-failed': ['bad', 'could not be rotated'],
  'certificate.version-gone': ['bad', 'is no longer in its vault'],
  'certificate.held': ['warning', 'is held in its rotation'],
  'certificate.changed-elsewhere': ['warning', 'was changed by another hand'],
  'certificate.rotation-aborted': ['warning', 'was taken back'],
  'certificate.freeze-passed': ['warning', 'ends soon: a freeze did not hold its rotation'],
}

/** What an event of a certificate tells, with the dates of the certificate as it is now (undefined when it is no more). */
export function certificateStory(
  notification: string,
  event: EventRecord,
  certificate: CertificateDocument | undefined,
  site: string | undefined,
): Story {
  const name = plainText(event.subject.replace(/^certificates\//, ''), 63)
  const [tone, title] = HEADLINES[event.type] ?? ['plain', event.type]
  const dashboard = safeLink(site === undefined ? undefined : `${site}/`)
  return {
    notification,
    tone,
    title: plainText(
      isStranger(event) ? `Not registered: a certificate of ${name} ${title}` : `Certificate ${name} ${title}`,
      140,
    ),
    words: plainText(event.message, 1000),
    facts: factsOf(event, name, certificate),
    weights: [],
    gates: [],
    links: dashboard === undefined ? [] : [{ title: 'Dashboard', url: dashboard }],
    verbs: [],
  }
}

/** Is it about a certificate that nobody registered? Its subject is then where it was found. */
function isStranger({ data }: EventRecord): boolean {
  return data?.registered === false
}

function factsOf(event: EventRecord, name: string, certificate: CertificateDocument | undefined): readonly Fact[] {
  const hosts = certificate?.current?.dnsNames ?? certificate?.spec.dnsNames ?? []
  const { notAfter: told, serial } = event.data ?? {}
  const ends = certificate?.current?.notAfter ?? (typeof told === 'string' ? told : undefined)
  const shown = certificate?.current?.serial ?? (typeof serial === 'string' ? serial : '')
  return [
    { name: isStranger(event) ? 'Found at' : 'Certificate', value: name },
    { name: 'Hosts', value: plainText(hosts.join(', '), 200) },
    { name: 'Clusters', value: plainText(Object.keys(certificate?.targets ?? {}).join(', '), 200) },
    { name: 'Ends', value: ends === undefined ? '' : `${ends.slice(0, 16).replace('T', ' ')} UTC` },
    { name: 'Serial', value: plainText(shown, 64) },
    { name: 'By', value: plainText(event.actor.name, 100) },
    { name: 'Reason', value: plainText(event.reason, 100) },
    { name: 'When', value: `${event.time.slice(0, 16).replace('T', ' ')} UTC` },
  ].filter(({ value }) => value !== '')
}
