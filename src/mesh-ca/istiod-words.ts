import type { CaRotation } from '../model/ca-rotation.ts'
import type { TrustDocument } from '../model/documents.ts'
import type { IstiodWords } from '../model/trust.ts'
import type { Gate } from './gates.ts'

/** The four secrets are not one: a driver that mounts them in mid-write gives istiod a mix, and the whole at its next poll. */
const MENDED_MS = 5 * 60_000

/** What istiod's log says of the last write; undefined: nobody listened. */
export function wordsOn(
  { writtenAt }: Pick<CaRotation, 'writtenAt'>,
  trust: Pick<TrustDocument, 'words'> | undefined,
): IstiodWords | undefined {
  return trust?.words !== undefined && trust.words.since === writtenAt ? trust.words : undefined
}

/** What a refusal in istiod's own words does: it holds at once, or once what may mend by itself has not. `now` is epoch milliseconds. */
export function refusalGate(
  rotation: CaRotation,
  trust: Pick<TrustDocument, 'words'> | undefined,
  now: number,
): Gate | undefined {
  const words = wordsOn(rotation, trust)
  if (words?.state !== 'refused') return undefined
  const { line = '', at = '', pod } = words
  const isRoot = /ROOT-CA/.test(line)
  const until = Date.parse(at) + MENDED_MS
  const said = `istiod${pod === undefined ? '' : ` (Pod ${pod})`} says: "${line}".`
  if (!isRoot && now < until) {
    const message = `${said} That may be of a mount in mid-write: waits for the next.`
    return { kind: 'wait', reason: 'WaitsForIstiod', message, at: until, look: true }
  }
  const message = `${said} It keeps all that it had before. ${isRoot ? ROOT : BUNDLE} ${wayOut(rotation)}`
  return { kind: 'hold', reason: 'RefusedByIstiod', message, look: true }
}

const ROOT =
  'It takes other roots only with ISTIO_MULTIROOT_MESH=true, and only such as stand beside or leave out what it has.'
const BUNDLE = 'The four secrets that it was given do not fit together: see what the Secrets Store driver mounted.'

function wayOut({ phase, direction }: CaRotation): string {
  const goesOn =
    'Once it takes what the vault holds, or its Pods were restarted and the trust bundles show it, this goes on'
  if (direction === 'back' || phase === 'narrowing') return `${goesOn}.`
  if (phase === 'widening')
    return `${goesOn}. POST …/abort takes the new root out of the vault again; it has signed nothing.`
  return `${goesOn}. POST …/abort has the former intermediate sign again.`
}

/** To be said beside what is not seen otherwise. */
export function wordsNote(words: IstiodWords | undefined): string {
  if (words?.state === 'unreadable') return ` Its log cannot be read: ${words.line ?? 'no reason was given'}.`
  if (words?.state === 'silent')
    return ' Its log says nothing of it yet: the Secrets Store driver may not have mounted it.'
  return ''
}

export const SEEN_BY_WORDS =
  'The cluster’s metrics do not tell which certificate istiod signs with; its own log says that it took it, and time counts from the look that saw that.'
