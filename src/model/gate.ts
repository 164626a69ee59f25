import * as z from 'zod'
import { GATE_SOURCES, type GateSource } from './metrics.ts'
import { dnsLabel, durationBetween } from './names.ts'

/** How many times stable's rate of bad events `safe` must rule out, when nobody says. */
export const DEFAULT_G_MAX = 2

const percent = z.number().min(0.01).max(50)

const comparison = z
  .union([
    z.literal(false),
    z.strictObject({
      gMax: z
        .number()
        .gt(1)
        .max(100)
        .default(DEFAULT_G_MAX)
        .describe('Safe is said once the candidate is less than so many times as bad as stable'),
    }),
  ])
  .optional()
  .describe('The candidate is compared with stable beside the limit; false: only the limit counts. Left out: gMax 2')

const FROM = 'Which of the cluster’s metrics count; left out: mesh'

const query = z
  .string()
  .min(1)
  .max(4000)
  .describe(
    'PromQL, or KQL with from: logs. {{service}}, {{namespace}}, {{cluster}}, {{version}} and {{stable}} stand in its strings, {{window}} for the length of time between two looks',
  )

const own = {
  from: z.enum(['mesh', 'logs']).optional().describe('Who answers: mesh (left out), the cluster’s Prometheus, or logs'),
  every: durationBetween('10s', '1h')
    .optional()
    .describe('How often it looks, which is also its window; 1m when left out, and never oftener than its source'),
}

const QUERIES = ['all', 'good', 'bad'] as const

const countsGate = z
  .strictObject({
    kind: z.literal('counts'),
    name: dnsLabel.optional().describe('What verdicts call it; the name of the ready-made gate when left out'),
    ...own,
    use: dnsLabel.optional().describe('A ready-made gate of GET /capabilities in place of queries of your own'),
    overMs: z.number().positive().max(3_600_000).optional().describe('For a ready-made latency gate: slower is bad'),
    all: query.optional().describe('How many there were of {{version}} in {{window}}'),
    good: query.optional().describe('How many of them went well'),
    bad: query.optional().describe('How many went wrong. Two of all, good and bad are needed'),
    limitPercent: percent.describe('Most that may be bad, in per cent of all'),
    comparison,
  })
  .superRefine((gate, context) => {
    const problem = countsProblem(gate)
    if (problem) context.addIssue({ code: 'custom', path: [problem.field], message: problem.message })
  })
export type CountsGate = z.infer<typeof countsGate>

function countsProblem(gate: Readonly<Record<string, unknown>>): { field: string; message: string } | undefined {
  const has = (field: string) => gate[field] !== undefined
  const given = QUERIES.filter(has)
  if (has('use')) {
    const [query] = given
    if (query) return { field: query, message: 'must not stand beside use' }
    return has('from') ? { field: 'from', message: 'must not stand beside use' } : undefined
  }
  if (has('overMs')) return { field: 'overMs', message: 'must stand beside use' }
  if (!has('name')) return { field: 'name', message: 'is required' }
  if (given.length < 2) return { field: given[0] === 'bad' ? 'all' : 'bad', message: 'is required' }
  return given.length > 2 ? { field: 'good', message: 'must not stand beside all and bad' } : undefined
}

const valueGate = z
  .strictObject({
    kind: z.literal('value'),
    name: dnsLabel.describe('What verdicts call it'),
    ...own,
    query,
    max: z.number().optional().describe('Most that the value may be'),
    min: z.number().optional().describe('Least that the value may be'),
    looks: z
      .int()
      .min(1)
      .max(100)
      .optional()
      .describe('Looks in a row that must see it out of bounds before it is harm; 3 when left out'),
  })
  .superRefine(({ max, min }, context) => {
    const wrong = (message: string) => context.addIssue({ code: 'custom', path: ['max'], message })
    if (max === undefined && min === undefined) wrong('is required')
    if (max !== undefined && min !== undefined && max < min) wrong('must be at least min')
  })
export type ValueGate = z.infer<typeof valueGate>

export const gateSpec = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('errors'),
    from: z.enum(GATE_SOURCES).optional().describe(FROM),
    limitPercent: percent.describe('Most that may fail: 5xx answers or failing gRPC statuses, in per cent of all'),
    comparison,
  }),
  z.strictObject({
    kind: z.literal('latency'),
    from: z.enum(['mesh', 'logs']).optional().describe(FROM),
    overMs: z
      .number()
      .positive()
      .max(3_600_000)
      .describe('Slower than this is bad; must be an edge of the histogram of the mesh; any number for logs'),
    limitPercent: percent.describe('Most that may be slower, in per cent of all'),
    comparison,
  }),
  countsGate,
  valueGate,
])
export type GateSpec = z.infer<typeof gateSpec>

/** A gate that counts requests by itself, without queries. */
export type BuiltInGate = Extract<GateSpec, { kind: 'errors' | 'latency' }>
/** A gate that counts good and bad, by itself or by queries. */
export type CountingGate = BuiltInGate | CountsGate
/** A gate with queries of its own. */
export type QueryGate = CountsGate | ValueGate

export function hasQueries(gate: GateSpec): gate is QueryGate {
  return gate.kind === 'counts' || gate.kind === 'value'
}

/** How long the windows of a gate with queries are at least: four scrapes at 15 s, two at 30 s. */
const QUERY_EVERY = '1m'
const BREACHES = 3

/** How often a gate with queries looks at most, which is how long its windows are at least. */
export function queryEvery({ every }: QueryGate): string {
  return every ?? QUERY_EVERY
}

/** How many looks in a row must see the value out of bounds. */
export function looksOf({ looks }: ValueGate): number {
  return looks ?? BREACHES
}

/** The queries of a gate by the field that holds each. */
export function queriesOf(gate: QueryGate): Readonly<Record<string, string>> {
  if (gate.kind === 'value') return { query: gate.query }
  return Object.fromEntries(QUERIES.flatMap((field) => (gate[field] === undefined ? [] : [[field, gate[field]]])))
}

/** Where a gate gets its numbers. */
export function sourceOf(gate: GateSpec): GateSource {
  return gate.from ?? 'mesh'
}

/** How many times stable's rate a gate must rule out to say safe by comparison; undefined: it does not compare. */
export function comparedBy({ comparison: own }: CountingGate): number | undefined {
  return own === false ? undefined : (own?.gMax ?? DEFAULT_G_MAX)
}

/** A gate's kind as people read it: `errors`, `errors from logs`, and the name of one that has a name. */
export function gateKind(gate: GateSpec): string {
  const kind = hasQueries(gate)
    ? (gate.name ?? (gate.kind === 'counts' ? gate.use : undefined) ?? gate.kind)
    : gate.kind
  return sourceOf(gate) === 'mesh' ? kind : `${kind} from ${gate.from}`
}

/** A gate as people read it: `errors`, `latency from logs over 300 ms`, `checkout-p99 (at most 800)`. */
export function gateText(gate: GateSpec): string {
  if (gate.kind === 'latency') return `${gateKind(gate)} over ${gate.overMs} ms`
  return gate.kind === 'value' ? `${gateKind(gate)} (${boundsText(gate)})` : gateKind(gate)
}

/** `at most 800`, `at least 5 and at most 10`. */
export function boundsText({ min, max }: Pick<ValueGate, 'min' | 'max'>): string {
  return [...(min === undefined ? [] : [`at least ${min}`]), ...(max === undefined ? [] : [`at most ${max}`])].join(
    ' and ',
  )
}
