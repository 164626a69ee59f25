import { expect } from 'vitest'
import { measured } from './measured.ts'
import type { PolicyShop } from './policy-shop.ts'
import type { Answer, Client, Headers, Load, Target } from './traffic.ts'
import { until } from './wait.ts'

/** Requests of one kind that are sent all the time. */
export interface Kind {
  readonly client: Client
  readonly headers?: Headers
  readonly target?: Target
  /** What of an answer is looked at; its status when left out. */
  readonly tell?: (answer: Answer) => unknown
  /** What their callers get: first without any policy, then under each. */
  readonly gets: readonly unknown[]
}

/** A policy, and what else is to be looked at while it stands. */
export interface Stand {
  readonly policy: object
  readonly look?: () => Promise<void>
}

/** Of all kinds together. */
const PER_SECOND = 120
/** So many answers in a row of each kind, so that every Pod has given some. */
const IN_A_ROW = 12

/**
 * Gives the service one policy after the other, and takes the last away (`end`), under a load of all these kinds of requests. Each answer must be
 * what a policy gives that held while it was under way; between a PUT and when Meshwright has carried it out and proxies show it, that
 * is the old one or the new. So no request is lost that neither refuses.
 */
export async function underPolicies(
  { put, product }: PolicyShop,
  title: string,
  stands: readonly Stand[],
  kinds: Readonly<Record<string, Kind>>,
  end: () => Promise<void> = () => put({}),
): Promise<void> {
  const all = Object.entries(kinds).map(([name, kind], _, { length }) => watch(name, kind, PER_SECOND / length))
  const stop = () => Promise.all(all.map(({ load }) => load.stop()))
  const spans: Span[] = []
  const took: string[] = []
  const change = async (act: () => Promise<void>, old: number, next: number) => {
    const from = Date.now()
    spans.push({ fromMs: from, holds: [old, next] })
    await act()
    const carried = Date.now()
    await shows(all, next)
    spans.push({ fromMs: Date.now(), holds: [next] })
    took.push(`${seconds(carried - from)} (seen ${seconds(Date.now() - carried)} later)`)
  }
  try {
    await shows(all, 0)
    spans.push({ fromMs: Date.now(), holds: [0] })
    for (const [at, { policy, look }] of stands.entries()) {
      await change(() => put(policy), at, at + 1)
      await look?.()
      await shows(all, at + 1)
    }
    await change(end, stands.length, 0)
    await stop()
    expect(all.flatMap((one) => wrongOf(one, spans))).toEqual([])
    const total = all.reduce((sum, { load }) => sum + load.answers.length, 0)
    measured(`${title}: ${total} requests of ${all.length} kinds, 0 lost; changes carried out in ${took.join(', ')}`)
  } catch (error) {
    // What is tested next begins without a policy.
    await put({})
    throw error
  } finally {
    await stop()
    product.assertAlive()
  }
}

/** From one moment to that of the next span, and which of `gets` may hold then. */
interface Span {
  readonly fromMs: number
  readonly holds: readonly number[]
}

interface Watched {
  readonly name: string
  readonly load: Load
  /** Is it what holds under one of these? */
  fits(answer: Answer, holds: readonly number[]): boolean
}

function watch(name: string, kind: Kind, perSecond: number): Watched {
  const { client, headers, target, gets, tell = ({ status }) => status } = kind
  const load = client.startLoad({ perSecond, seconds: 600 }, headers, target)
  return { name, load, fits: (answer, holds) => holds.some((at) => String(gets[at]) === String(tell(answer))) }
}

/** Resolves when of each kind enough answers, the last in a row and sent from now on, are what holds. */
async function shows(all: readonly Watched[], at: number): Promise<void> {
  const from = Date.now()
  await until(`all requests show policy ${at}`, 30_000, () => {
    for (const { name, load, fits } of all) {
      const last = load.answers.filter((answer) => answer.at >= from).slice(-IN_A_ROW)
      const other = last.find((answer) => !fits(answer, [at]))
      if (other) throw new Error(`${name}: ${JSON.stringify(other)}`)
      if (last.length < IN_A_ROW) throw new Error(`${name}: ${last.length} answers`)
    }
    return true
  })
}

/** Answers that nothing gives which held while they were under way; the first few. What came before the first span says nothing. */
function wrongOf({ name, load, fits }: Watched, spans: readonly Span[]): readonly object[] {
  const isWrong = (answer: Answer) => {
    const held = spans.filter(({ fromMs }, index) => {
      const toMs = spans[index + 1]?.fromMs ?? Number.POSITIVE_INFINITY
      return fromMs <= answer.at + answer.durationMs && answer.at < toMs
    })
    const holds = held.flatMap((span) => span.holds)
    return answer.at >= (spans[0]?.fromMs ?? 0) && !fits(answer, holds)
  }
  const wrong = load.answers.filter(isWrong)
  return wrong.slice(0, 5).map((answer) => ({ name, ofAll: wrong.length, ...answer }))
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
