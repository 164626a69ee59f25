import * as z from 'zod'
import type { Series } from '../ports/metrics.ts'
import { PortError } from '../ports/port-error.ts'

const matrix = z.object({
  status: z.literal('success'),
  data: z.object({
    resultType: z.literal('matrix'),
    result: z.array(
      z.object({
        metric: z.record(z.string(), z.string()),
        // Absent on series of native histograms.
        values: z.array(z.tuple([z.number(), z.string()])).default([]),
      }),
    ),
  }),
})

/**
 * The series of an answer of /api/v1/query to a range selector, without the samples outside (fromMs, toMs]: Prometheus
 * counted the left end in before version 3. Throws PortError `unavailable` (reason `NotPrometheus`) for anything else.
 */
export function parseMatrix(
  answer: string,
  system: string,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): Series[] {
  const parsed = matrix.safeParse(parseJson(answer))
  if (!parsed.success) {
    throw new PortError('unavailable', system, `${system} gave an answer that is no matrix of samples`, {
      reason: 'NotPrometheus',
    })
  }
  return parsed.data.data.result.map(({ metric, values }) => ({
    labels: metric,
    samples: values
      .map(([seconds, value]) => [Math.round(seconds * 1000), sampleValue(value)] as const)
      .filter(([timeMs]) => timeMs > fromMs && timeMs <= toMs),
  }))
}

const instant = z.object({
  status: z.literal('success'),
  data: z.discriminatedUnion('resultType', [
    z.object({ resultType: z.literal('scalar'), result: z.tuple([z.number(), z.string()]) }),
    z.object({
      resultType: z.literal('vector'),
      // Absent on elements that are native histograms.
      result: z.array(z.object({ value: z.tuple([z.number(), z.string()]).optional() })),
    }),
    z.object({ resultType: z.enum(['matrix', 'string']) }),
  ]),
})

/**
 * The numbers of an answer of /api/v1/query. Throws PortError: `invalid` (reason `NotANumber`) for a query that gives
 * ranges, texts or histograms, `unavailable` (reason `NotPrometheus`) for what is no answer.
 */
export function parseValues(answer: string, system: string): readonly number[] {
  const parsed = instant.safeParse(parseJson(answer))
  if (!parsed.success) {
    throw new PortError('unavailable', system, `${system} gave an answer that cannot be read`, {
      reason: 'NotPrometheus',
    })
  }
  const { data } = parsed.data
  if (data.resultType === 'scalar') return [sampleValue(data.result[1])]
  const values = data.resultType === 'vector' ? data.result.map(({ value }) => value?.[1]) : [undefined]
  return values.map((value) => {
    if (value !== undefined) return sampleValue(value)
    const what = data.resultType === 'vector' ? 'histograms' : data.resultType === 'matrix' ? 'ranges' : 'a text'
    throw new PortError('invalid', system, `the query gives ${what}, not a number`, { reason: 'NotANumber' })
  })
}

/** Go's way to write a float: `NaN`, `+Inf`, `-Inf`, else as JavaScript reads it. */
function sampleValue(text: string): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY
  if (text === '-Inf') return Number.NEGATIVE_INFINITY
  return text.trim() === '' ? Number.NaN : Number(text)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
