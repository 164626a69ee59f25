import { formatCount, formatShare } from '../../judge/words.ts'
import { gateText } from '../../model/gate.ts'
import { formatDuration } from '../../model/names.ts'
import type { Rollout } from '../../model/rollout.ts'
import { trafficText } from '../../model/step.ts'
import { allHolds } from './predict-timeline.ts'
import type { StepForecast, Timeline, WaveForecast } from './timeline.ts'
import type { ServiceTraffic } from './traffic.ts'

export interface Planned {
  /** `shop/web`. */
  readonly service: string
  readonly rollout: Rollout
  readonly traffic: ServiceTraffic
  readonly timeline: Timeline
}

/** What people should know before they start, or while it runs: in plain words, with the way out. */
export function timelineWarnings(planned: Planned): readonly string[] {
  const { timeline } = planned
  return [
    ...holdWarnings(timeline),
    ...trafficWarnings(planned),
    ...timeline.waves.flatMap((wave) => [...stepWarnings(planned, wave), ...gateWarnings(planned, wave)]),
  ]
}

function holdWarnings(timeline: Timeline): readonly string[] {
  return allHolds(timeline).map(({ message }) => `Held back: ${message}.`)
}

function trafficWarnings({ service, rollout, traffic }: Planned): readonly string[] {
  return rollout.targets.flatMap(({ cluster }) => {
    const { perMinute, why } = traffic[cluster] ?? {}
    if (perMinute === undefined) return [`How many requests ${service} gets on ${cluster} is not known: ${why}.`]
    if (perMinute > 0 || rollout.gates.length === 0) return []
    return [`${service} got no requests on ${cluster}: its gates have nothing to judge there.`]
  })
}

function stepWarnings({ rollout }: Planned, wave: WaveForecast): readonly string[] {
  return wave.steps.flatMap((step) => {
    const name = stepName(rollout, wave, step)
    if (step.ends === 'pauses')
      return [`${name} pauses after ${about(step.stretchedMs)} of patience: ${lack(rollout, step)}`]
    if (step.ends === 'rolls-back')
      return [`${name} rolls back after ${about(step.stretchedMs)}: ${lack(rollout, step)}`]
    if (step.stretchedMs <= 0) return []
    return [`${name} lasts ${about(step.stretchedMs)} longer than it says: ${lack(rollout, step)}`]
  })
}

function lack({ minEvents }: Rollout, { requests }: StepForecast): string {
  if (!requests || requests.candidate >= minEvents) return 'its gates need longer to say safe.'
  const few = `about ${formatCount(requests.candidate)} requests reach the candidate in it, ${minEvents} are needed.`
  return `${few} Give it a larger weight or a longer "for", or ask for less with "minEvents".`
}

/** A gate that would not see a harm, though it were there from the first step on, before all requests go to the candidate. */
function gateWarnings({ rollout }: Planned, wave: WaveForecast): readonly string[] {
  const shown = new Set(wave.steps.flatMap(({ gates }) => gates.map(({ cluster }) => cluster)))
  const few =
    shown.size > 0 && shown.size < wave.clusters.length
      ? [`Gates are worked out for ${[...shown].join(', ')}, which get the fewest requests.`]
      : []
  const warnings = rollout.gates.flatMap((spec, gate) => {
    const late = wave.clusters.flatMap((cluster) => lateOn(wave, gate, cluster) ?? [])
    const [worst] = late.toSorted((a, b) => a.expected / a.needed - b.expected / b.needed)
    if (!worst) return []
    const { expected, needed, harm } = worst
    const place = rollout.waves === undefined ? '' : ` of wave ${wave.wave + 1} (${wave.name})`
    const name = `Gate ${gateText(spec)} on ${late.map(({ cluster }) => cluster).join(', ')}`
    const counts = `its steps${place} bring about ${formatCount(expected)} requests to the candidate, and it needs about ${formatCount(needed)} to see a bad share of ${formatShare(harm)}`
    return [`${name} cannot decide in time: ${counts}. ${wayOut(wave, worst)}`]
  })
  return [...warnings, ...few]
}

interface LateGate {
  readonly gate: number
  readonly cluster: string
  /** Requests to the candidate in all steps that are left, those after which a harm (a bad share) would be seen. */
  readonly expected: number
  readonly needed: number
  readonly harm: number
}

/** Counts add up from step to step. Undefined: it can decide, or that is not known. */
function lateOn({ steps }: WaveForecast, gate: number, cluster: string): LateGate | undefined {
  const own = steps.flatMap((step) => step.gates.filter((one) => one.gate === gate && one.cluster === cluster))
  const { needed, harm } = own.find((one) => one.needed !== undefined) ?? {}
  const counted = own.flatMap(({ expected }) => expected ?? [])
  if (needed === undefined || harm === undefined || counted.length === 0) return undefined
  const expected = counted.reduce((sum, requests) => sum + requests, 0)
  const seen = own.some(({ seenMs }) => seenMs !== undefined) || expected >= needed
  return seen ? undefined : { gate, cluster, expected, needed, harm }
}

/** A longer step, the one with the most requests; or a larger first weight, where that is enough. */
function wayOut({ steps }: WaveForecast, { gate, cluster, expected, needed }: LateGate): string {
  const own = steps.flatMap((step) => {
    const requests = step.gates.find((one) => one.gate === gate && one.cluster === cluster)?.expected ?? 0
    return requests > 0 && step.lengthMs > 0 ? [{ step, requests }] : []
  })
  const [most] = own.toSorted((a, b) => b.requests / b.step.lengthMs - a.requests / a.step.lengthMs)
  if (!most) return 'The service gets too few requests there for gates to tell anything.'
  const lengthMs = most.step.lengthMs * (1 + (needed - expected) / most.requests)
  const isSmall = (own[0]?.step.traffic.weight ?? MOST_FIRST) < MOST_FIRST
  const larger = isSmall ? ', or begin with a larger weight' : ''
  return `Let ${trafficText(most.step.traffic)} last ${about(lengthMs)}${larger}.`
}

/** A first step with more is no canary. */
const MOST_FIRST = 50

function stepName({ waves }: Rollout, { wave, name }: WaveForecast, { step, what }: StepForecast): string {
  const words = `step ${step + 1} (${what})`
  return waves === undefined ? `S${words.slice(1)}` : `Wave ${wave + 1} (${name}), ${words}`
}

/** Minutes are enough for people. */
function about(ms: number): string {
  return formatDuration(ms < 60_000 ? Math.ceil(ms / 1000) * 1000 : Math.ceil(ms / 60_000) * 60_000)
}
