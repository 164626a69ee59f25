import { formatDuration } from '../../model/names.ts'

export type Fields = Readonly<Record<string, unknown>>

/** The fields of a JSON object; none of anything else. */
export function fieldsOf(value: unknown): Fields {
  return isMap(value) ? value : {}
}

export function isMap(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The objects of a list; none of anything else. */
export function listOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(fieldsOf) : []
}

export function stringsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}

/** Fields without those that are undefined. */
export function present(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** Milliseconds of a duration as Go and protobuf write it, `1.5s`, `1h30m`; undefined of any other text. */
export function goDurationMs(text: unknown): number | undefined {
  if (typeof text !== 'string' || !/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) return undefined
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)]
  const ms = parts.reduce((sum, [, count, unit]) => sum + Number(count) * (UNIT_MS[unit ?? ''] ?? 0), 0)
  return Math.round(ms * 1e6) / 1e6
}

/** A duration in the API's form, of whole milliseconds; anything else as it is, for the schema to refuse. */
export function neutralDuration(text: unknown): unknown {
  const ms = goDurationMs(text)
  return ms !== undefined && ms > 0 && Number.isInteger(ms) ? formatDuration(ms) : text
}

/** A name that the API takes for a version, a route or a rule, which is not `taken` yet. */
export function freeName(wanted: string, taken: ReadonlySet<string>): string {
  const plain = wanted
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .replace(/^-+/, '')
    .slice(0, 58)
    .replace(/-+$/, '')
  const base = plain === '' ? 'x' : plain
  for (let count = 1; ; count += 1) {
    const name = count === 1 ? base : `${base}-${count}`
    if (!taken.has(name)) return name
  }
}
