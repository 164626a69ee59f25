import * as z from 'zod'

const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/
const LABEL_VALUE = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/
const LABEL_KEY = /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/
const HOST = /^(\*\.)?([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\.)+[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/
const DURATION = /^(\d{1,9})(ms|s|m|h|d)$/
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** A DNS label (RFC 1123): what clusters, namespaces, services, versions, teams, freezes and strategies are named by. */
export const dnsLabel = z
  .string()
  .regex(LABEL, 'must be a DNS label: lower-case letters, digits and "-", 63 characters at most, no "-" at an end')
  .meta({ examples: ['web'] })

/** Labels of Kubernetes objects, as a selector: every one must match. */
export const labelMap = z
  .record(
    z.string().regex(LABEL_KEY, 'must be a Kubernetes label key'),
    z
      .string()
      .regex(LABEL_VALUE, 'must be a Kubernetes label value: 63 characters at most of letters, digits, "-", "_", "."'),
  )
  .refine((labels) => Object.keys(labels).length <= 32, 'may hold 32 labels at most')

/** A host name in lower case, with at least one dot; a leading `*.` is a wildcard. */
export const hostName = z.string().max(253).regex(HOST, 'must be a host name such as "web.example.com"')

/** A length of time as the API writes it: a whole number and a unit, `250ms`, `90s`, `5m`, `24h`, `7d`. */
export function durationBetween(least: string, most: string) {
  const [low, high] = [durationMs(least), durationMs(most)]
  return z
    .string()
    .regex(DURATION, 'must be a whole number with a unit ms, s, m, h or d, such as "90s"')
    .refine((text) => !DURATION.test(text) || (durationMs(text) >= low && durationMs(text) <= high), {
      message: `must be from ${least} to ${most}`,
    })
    .meta({ examples: ['90s'] })
}

/** The length in milliseconds of a duration that a schema has passed; throws RangeError on any other text. */
export function durationMs(text: string): number {
  const [, count, unit] = DURATION.exec(text) ?? []
  const unitMs = UNIT_MS[unit ?? '']
  if (count === undefined || unitMs === undefined) throw new RangeError(`not a duration: ${text}`)
  return Number(count) * unitMs
}

/** A duration as a person writes it: the largest unit that leaves a whole number. */
export function formatDuration(ms: number): string {
  const whole = Math.max(0, Math.round(ms))
  if (whole === 0) return '0s'
  const unit = ['d', 'h', 'm', 's'].find((unit) => whole % (UNIT_MS[unit] ?? 1) === 0) ?? 'ms'
  return `${whole / (UNIT_MS[unit] ?? 1)}${unit}`
}

/** RFC 3339 in UTC with milliseconds. */
export function timestamp(ms: number): string {
  return new Date(ms).toISOString()
}
