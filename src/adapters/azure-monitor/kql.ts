import type { LogsSpec } from '../../model/metrics.ts'
import { escapeKql } from '../../model/query-template.ts'
import type { CountQuestion, CountSpan } from '../../ports/metrics.ts'

/** How a table of requests calls its columns: the workspace's own names, or the classic ones of Application Insights. */
interface Columns {
  readonly time: string
  readonly role: string
  readonly version: string
  readonly code: string
  readonly success: string
  readonly duration: string
  readonly dimensions: string
}

const COLUMNS: Readonly<Record<LogsSpec['table'], Columns>> = {
  AppRequests: {
    time: 'TimeGenerated',
    role: 'AppRoleName',
    version: 'AppVersion',
    code: 'ResultCode',
    success: 'Success',
    duration: 'DurationMs',
    dimensions: 'Properties',
  },
  requests: {
    time: 'timestamp',
    role: 'cloud_RoleName',
    version: 'application_Version',
    code: 'resultCode',
    success: 'success',
    duration: 'duration',
    dimensions: 'customDimensions',
  },
}

/** gRPC statuses by which the server failed; the same as on the mesh. HTTP codes begin at 100, so that none is both. */
const FAILING_GRPC = [2, 4, 12, 13, 14, 15]

/** Text as a KQL string literal. */
export function kqlString(text: string): string {
  return `"${escapeKql(text)}"`
}

/**
 * The query that counts a service's requests by version: `seen` and `failed` in (fromMs, toMs], `newest` up to nowMs. Its
 * answer has a row for each version that is asked for, so it never comes near the limits. Rows are counted, not their
 * ItemCount: a sampled row is one draw, and weighing it would pass for evidence that is not there.
 */
export function countingQuery(spec: LogsSpec, { service, versions, bad }: CountQuestion, span: CountSpan): string {
  const columns = COLUMNS[spec.table]
  const property = (name: string) => `tostring(${columns.dimensions}[${kqlString(name)}])`
  const version = spec.versionDimension === undefined ? `tostring(${columns.version})` : property(spec.versionDimension)
  const values = [...new Set(Object.values(versions))]
  const where = Object.entries(spec.where).map(
    ([name, value]) => `${property(name)} == ${kqlString(fill(value, service))}`,
  )
  const code = `toint(${columns.code})`
  const isBad =
    bad.kind === 'latency'
      ? `${columns.duration} > ${decimal(bad.overMs)}`
      : `(${code} >= 500 and ${code} < 600) or ${code} in (${FAILING_GRPC.join(', ')}) or (isnull(${code}) and tobool(${columns.success}) == false)`
  return [
    spec.table,
    `where ${columns.time} > ${datetime(span.fromMs)} and ${columns.time} <= ${datetime(span.nowMs)}`,
    ...[`${columns.role} == ${kqlString(fill(spec.roleName, service))}`, ...where].map(
      (condition) => `where ${condition}`,
    ),
    `extend version = ${version}, counted = ${columns.time} <= ${datetime(span.toMs)}, bad = ${isBad}`,
    `where version in (${values.map(kqlString).join(', ')})`,
    `summarize seen = countif(counted), failed = countif(counted and bad), newest = max(${columns.time}) by version`,
  ].join('\n| ')
}

/** A template with the service's names in it. */
export function fill(template: string, names: Readonly<Record<string, string>>): string {
  return template.replace(/\{(namespace|name|version)\}/g, (whole, name: string) => names[name] ?? whole)
}

function datetime(ms: number): string {
  return `datetime(${new Date(ms).toISOString()})`
}

/** A number in digits; KQL's reals take no exponent without a sign, and ours are at most an hour. */
function decimal(value: number): string {
  return value.toFixed(3).replace(/\.?0+$/, '')
}
