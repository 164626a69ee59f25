import type { JsonObject, KubernetesObject } from './json.ts'
import { isObject } from './json.ts'
import { type FieldError, quoted } from './status.ts'

const TLS = 'kubernetes.io/tls'
const MOST_BYTES = 1024 * 1024

/** Data that is not base64, in the words of Go's decoder. */
export function undecodableSecret({ data }: KubernetesObject): string | undefined {
  for (const value of Object.values(isObject(data) ? data : {})) {
    const at = typeof value === 'string' ? illegalByte(value) : undefined
    if (at !== undefined) return `illegal base64 data at input byte ${at}`
  }
  return undefined
}

/** What the server has against a Secret: another type than before, too much, a pair of which a part is missing. */
export function secretErrors(object: KubernetesObject, live: KubernetesObject | undefined): readonly FieldError[] {
  const type = String(object.type ?? '')
  const data: JsonObject = isObject(object.data) ? object.data : {}
  const errors: FieldError[] = []
  if (live && live.type !== object.type) {
    const message = `Invalid value: ${quoted(type)}: field is immutable`
    errors.push({ field: 'type', reason: 'FieldValueInvalid', message })
  }
  const bytes = Object.values(data).reduce<number>((sum, value) => sum + Buffer.byteLength(String(value), 'base64'), 0)
  if (bytes > MOST_BYTES) {
    const message = `Too long: may not be more than ${MOST_BYTES} bytes`
    errors.push({ field: 'data', reason: 'FieldValueTooLong', message })
  }
  const missing = type === TLS ? ['tls.crt', 'tls.key'].filter((key) => !Object.hasOwn(data, key)) : []
  const required = { reason: 'FieldValueRequired', message: 'Required value' } as const
  return [...errors, ...missing.map((key) => ({ field: `data[${key}]`, ...required }))]
}

/** Where the standard alphabet with padding ends; undefined when it does not. Line ends are skipped. */
function illegalByte(text: string): number | undefined {
  const body = text.replace(/[\r\n]/g, '').replace(/={1,2}$/, '')
  const illegal = body.search(/[^A-Za-z0-9+/]/)
  if (illegal >= 0) return illegal
  const padded = text.replace(/[\r\n]/g, '')
  return padded.length % 4 === 0 ? undefined : padded.length - (padded.length % 4)
}
