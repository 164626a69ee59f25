import type { Chance } from '../../../src/sandbox/world/chance.ts'
import { pick } from '../faults.ts'
import { RECEIVERS, WEBHOOK_HOST } from '../webhook-receivers.ts'

/** A rollout as its caller asks for it, drawn: strategies of all kinds, over all clusters or in waves. */
export function drawRollout(chance: Chance, candidate: unknown, clusters: readonly string[]): object {
  const maybe = (share: number, fields: () => object): object => (chance.next() < share ? fields() : {})
  const errors = { kind: 'errors', limitPercent: 1 }
  const latency = { kind: 'latency', overMs: 500, limitPercent: 5 }
  return {
    candidate,
    steps: drawSteps(chance),
    gates: pick(chance, [[errors], [errors], [errors, latency], [errors, ownGate(chance)], []]),
    bake: seconds(chance),
    patience: '2m',
    readyTimeout: '90s',
    minEvents: 20,
    ...maybe(0.2, () => ({ onBlind: 'hold' })),
    ...maybe(0.3, () => ({ onHarm: 'freeze' })),
    ...maybe(0.25, () => ({ affinity: { cookie: 'web-version', maxAge: '1h' } })),
    ...maybe(0.12, () => ({ windows: [{ cron: pick(chance, ['*/10 * * * *', '*/7 * * * *']), for: '5m' }] })),
    ...maybe(0.2, () => ({ strategy: 'relaxed' })),
    ...(chance.next() < 0.2 ? { clusters: [pick(chance, clusters)] } : maybe(0.5, () => drawWaves(chance, clusters))),
  }
}

function seconds(chance: Chance): string {
  return `${pick(chance, [5, 10, 20, 40])}s`
}

type Draw = (chance: Chance) => readonly object[]

/** The strategies, each with its weight in the choice. */
const STRATEGIES: readonly (readonly [number, Draw])[] = [
  [6, canary],
  [2, blueGreen],
  [2, someOfThem],
  [2, mirrorFirst],
  [4, withWaits],
]

function drawSteps(chance: Chance): readonly object[] {
  const total = STRATEGIES.reduce((sum, [weight]) => sum + weight, 0)
  let mark = chance.next() * total
  const [, draw] = STRATEGIES.find(([weight]) => {
    mark -= weight
    return mark < 0
  }) ?? [0, canary]
  return draw(chance)
}

function canary(chance: Chance): readonly object[] {
  return weights(chance, pick(chance, [[10], [50], [10, 50], [5, 25, 60]]))
}

function weights(chance: Chance, all: readonly number[]): readonly object[] {
  return all.map((weight) => ({ weight, for: seconds(chance), ...atItsEnd(chance) }))
}

/** What must hold at the end of a step with traffic. */
function atItsEnd(chance: Chance): object {
  return {
    ...(chance.next() < 0.1 ? { approval: approval(chance) } : {}),
    ...(chance.next() < 0.1 ? { analysis: true } : {}),
    ...(chance.next() < 0.1 ? inTime(chance) : {}),
  }
}

function approval(chance: Chance): true | { readonly quorum: number } {
  return chance.next() < 0.6 ? true : { quorum: 2 }
}

function inTime(chance: Chance): object {
  return { timeout: pick(chance, ['20s', '60s', '3m']), onTimeout: pick(chance, ['pause', 'rollback', 'proceed']) }
}

const PREVIEW = [{ headers: { 'x-preview': { exact: 'true' } } }]
const GROUP_B = [{ cookie: { name: 'group', value: 'b' } }, { path: { prefix: '/beta' } }]

function blueGreen(chance: Chance): readonly object[] {
  const word = { approval: approval(chance), ...(chance.next() < 0.5 ? inTime(chance) : {}) }
  return [{ match: PREVIEW, for: seconds(chance) }, ...(chance.next() < 0.5 ? [word] : [])]
}

/** A/B: those that match, and perhaps a share of the others. */
function someOfThem(chance: Chance): readonly object[] {
  const step = { match: GROUP_B, for: seconds(chance), ...atItsEnd(chance) }
  return chance.next() < 0.5
    ? [step]
    : [step, { match: GROUP_B, weight: 20, for: seconds(chance) }, ...weights(chance, [60])]
}

function mirrorFirst(chance: Chance): readonly object[] {
  const copies = { mirror: pick(chance, [50, 100]), for: seconds(chance), ...atItsEnd(chance) }
  return [copies, ...(chance.next() < 0.5 ? [{ hold: seconds(chance) }] : []), ...weights(chance, [10, 50])]
}

/** Steps that only wait, before, between and after weights. */
function withWaits(chance: Chance): readonly object[] {
  const some = () => (chance.next() < 0.5 ? [wait(chance)] : [])
  return [...some(), ...weights(chance, [20]), wait(chance), ...weights(chance, [70]), ...some()]
}

function wait(chance: Chance): object {
  const limits = chance.next() < 0.7 ? inTime(chance) : {}
  const kind = chance.next()
  if (kind < 0.15) return { hold: seconds(chance) }
  if (kind < 0.3) return { approval: approval(chance), ...limits }
  if (kind < 0.45) return { analysis: true, ...limits }
  const url = `https://${WEBHOOK_HOST}/${pick(chance, RECEIVERS)}`
  return { webhook: { url, retries: pick(chance, [0, 1, 3]), deadline: '5s' }, ...limits }
}

function drawWaves(chance: Chance, clusters: readonly string[]): object {
  const bake = () => (chance.next() < 0.5 ? { bake: seconds(chance) } : {})
  const steps = () => (chance.next() < 0.3 ? { steps: drawSteps(chance) } : {})
  const one = { concurrency: 1, ...bake(), ...steps() }
  return {
    waves: pick(chance, [
      [one],
      [
        { name: 'canary', clusters: { matchLabels: { ring: 'canary' } }, ...bake() },
        { ...one, name: 'rest' },
      ],
      [{ name: 'first', clusters: [pick(chance, clusters)], ...bake(), ...steps() }, { ...bake() }],
    ]),
  }
}

/** Gates with queries of their own, over the mesh's counters. */
function ownGate(chance: Chance): object {
  const requests = (more: string) =>
    `sum(increase(istio_requests_total{reporter="destination",destination_service_name="{{service}}",destination_version="{{version}}"${more}}[{{window}}]))`
  const [all, good] = [requests(''), requests(',response_code="200"')]
  return chance.next() < 0.5
    ? { kind: 'counts', name: 'own-counts', all, good, limitPercent: 2, every: '10s' }
    : { kind: 'value', name: 'own-share', query: `${good} / ${all}`, min: 0.6, every: '10s', looks: 2 }
}
