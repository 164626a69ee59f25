import * as z from 'zod'
import { GATE_SOURCES, type GateSource } from './metrics.ts'

const percent = z.number().min(0.01).max(50)

const FROM = 'Which of the cluster’s metrics count; left out: mesh'

export const gateSpec = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('errors'),
    from: z.enum(GATE_SOURCES).optional().describe(FROM),
    limitPercent: percent.describe('Most that may fail: 5xx answers or failing gRPC statuses, in per cent of all'),
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
  }),
])
export type GateSpec = z.infer<typeof gateSpec>

/** Where a gate gets its numbers. */
export function sourceOf(gate: GateSpec): GateSource {
  return gate.from ?? 'mesh'
}

/** A gate's kind as people read it: `errors`, `errors from logs`. */
export function gateKind(gate: GateSpec): string {
  return sourceOf(gate) === 'mesh' ? gate.kind : `${gate.kind} from ${gate.from}`
}

/** A gate as people read it: `errors`, `latency from logs over 300 ms`. */
export function gateText(gate: GateSpec): string {
  return gate.kind === 'latency' ? `${gateKind(gate)} over ${gate.overMs} ms` : gateKind(gate)
}
