import { createHash } from 'node:crypto'

/** JSON with sorted keys: equal values give equal text. Undefined members are left out, as JSON does. */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null'
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`)
  return `{${members.join(',')}}`
}

/** SHA-256 of a value's canonical JSON, base64url. */
export function digest(...values: readonly unknown[]): string {
  return createHash('sha256').update(canonicalJson(values)).digest('base64url')
}

/** The API's entity tag (RFC 9110, strong): a hash of the part that users own. Status and progress do not change it. */
export function entityTag(name: string, spec: unknown): string {
  return `"${digest(name, spec).slice(0, 27)}"`
}

/** `length` characters of lower-case letters and digits that follow from `values`: for deterministic ids. */
export function shortId(length: number, ...values: readonly unknown[]): string {
  const bytes = createHash('sha256').update(canonicalJson(values)).digest()
  return [...bytes.subarray(0, length)].map((byte) => ALPHABET[byte % ALPHABET.length]).join('')
}
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'
