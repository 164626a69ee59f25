const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
  y: 365 * 86_400_000,
}
const DURATION = /^(\d+y)?(\d+w)?(\d+d)?(\d+h)?(\d+m(?!s))?(\d+s)?(\d+ms)?$/

/** Milliseconds of a PromQL duration such as `1h30m`; undefined when the text is none. */
export function parseDurationMs(text: string): number | undefined {
  if (text === '' || !DURATION.test(text)) return undefined
  let sum = 0
  for (const [, count, unit] of text.matchAll(/(\d+)(ms|[smhdwy])/g)) sum += Number(count) * (UNIT_MS[unit ?? ''] ?? 0)
  return sum
}

/** The value of a PromQL number: decimal, hexadecimal, `Inf`, `NaN`, or (since Prometheus 3) a duration in seconds. */
export function parseNumber(text: string): number | undefined {
  const plain = text.replaceAll('_', '').toLowerCase()
  const sign = plain.startsWith('-') ? -1 : 1
  const digits = plain.replace(/^[-+]/, '')
  if (digits === 'nan') return Number.NaN
  if (digits === 'inf') return sign * Number.POSITIVE_INFINITY
  if (/^(0x[\da-f]+|(\d+\.?\d*|\.\d+)(e[-+]?\d+)?)$/.test(digits)) return sign * Number(digits)
  const ms = parseDurationMs(digits)
  return ms === undefined ? undefined : (sign * ms) / 1000
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
  "'": "'",
}

/** The text that a PromQL string literal means; undefined for a string without end or with an escape that Go lacks. */
export function parseString(literal: string): string | undefined {
  const quote = literal[0]
  if (literal.length < 2 || !literal.endsWith(quote ?? '')) return undefined
  const body = literal.slice(1, -1)
  if (quote === '`') return body
  let valid = true
  const text = body.replace(/\\(x[\da-fA-F]{2}|u[\da-fA-F]{4}|.|$)/gs, (_, code: string) => {
    if (code.length > 1) return String.fromCodePoint(Number.parseInt(code.slice(1), 16))
    valid &&= code in ESCAPES
    return ESCAPES[code] ?? ''
  })
  return valid ? text : undefined
}

/** A value as Prometheus writes it: with an exponent only below 1e-6 and from 1e21 on, and then of two digits at least. */
export function formatValue(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  if (Object.is(value, -0)) return '-0'
  return String(value).replace(/e([-+])(\d)$/, 'e$10$2')
}
