import { cpuSecondsOf } from './cpu-time.ts'
import { byResource, type KubeRequest } from './kube-request.ts'
import type { Look } from './metrics-server.ts'
import { entered, pause, releaseAll, whenAll } from './release.ts'
import { type Setting, startSetting } from './setting.ts'

/** What a scenario came to: cells for the table by row, lines for people, and the limits that were missed. */
export interface Outcome {
  readonly cells: Readonly<Record<string, string>>
  readonly told: readonly string[]
  readonly missed: readonly string[]
}

type Kind = 'real' | 'sandbox'

const FLOOR_S = 30
const IDLE_MS = 60_000
const MOST_REQUESTS = 20

/** Everything is well: when is the last of N promoted, what did it cost, and what does it cost afterwards? */
export async function healthy(dir: string, kind: Kind, count: number): Promise<Outcome> {
  return within(dir, count, kind, async (setting) => {
    const release = await releaseAll(setting)
    const startedS = (Date.now() - release.atMs) / 1000
    await pause(28_000)
    const shown = await whenAll(setting, release.ids, 180_000, (one) => Number.isFinite(entered(one, 'baking')))
    const promoted = shown.map((one) => (entered(one, 'baking') - release.atMs) / 1000).sort((a, b) => a - b)
    const lastS = promoted.at(-1) ?? Number.NaN
    const cpu = (cpuSecondsOf(setting.product.pid()) - release.cpuBefore) / count
    const until = release.atMs + lastS * 1000
    const requests = setting.cluster.requests().filter(({ atMs }) => atMs >= release.atMs && atMs <= until)
    const perCanary = requests.length / count
    await whenAll(setting, release.ids, 120_000, ({ phase }) => phase === 'succeeded')
    const idle = count === 20 ? await idleMinute(setting) : undefined
    const limitS = FLOOR_S * (count > 20 ? 1.2 : 1.1)
    const missed = [
      ...(lastS > limitS ? [`last promoted after ${lastS} s, more than ${limitS} s`] : []),
      ...(perCanary > MOST_REQUESTS ? [`${perCanary} requests a canary, more than ${MOST_REQUESTS}`] : []),
      ...(idle !== undefined && idle.perCanary > 0 ? [`${idle.perCanary} requests a canary-minute, idle`] : []),
    ]
    const writes = requests.filter(({ method }) => method !== 'GET').length
    return {
      cells: {
        [`last of ${count} promoted`]: `${lastS.toFixed(1)} s`,
        [`requests per canary, N = ${count}`]: `${perCanary.toFixed(1)}, ${Math.round((100 * writes) / requests.length)} % writes`,
        [`CPU per canary, N = ${count}`]: `${Math.round(cpu * 1000)} ms`,
        ...(idle
          ? {
              'requests per canary-minute, idle': String(idle.perCanary),
              'CPU of an idle minute': `${idle.cpuS.toFixed(2)} s`,
            }
          : {}),
      },
      told: [
        `all ${count} started within ${startedS.toFixed(2)} s; promoted after ${promoted[0]?.toFixed(1)} to ${lastS.toFixed(1)} s`,
        `requests per canary: ${byResource(requests, count)}`,
        `metrics queries per canary: ${setting.metrics.asked.filter(({ atMs }) => atMs >= release.atMs && atMs <= until).length / count}`,
        ...(idle ? [`idle: ${idle.told}`] : []),
      ],
      missed,
    }
  })
}

async function idleMinute({ cluster, product, services }: Setting) {
  // The last writes of the rollouts that ended are no idling.
  await pause(5000)
  const [from, cpu] = [Date.now(), cpuSecondsOf(product.pid())]
  await pause(IDLE_MS)
  const requests = cluster.requests().filter(({ atMs }) => atMs >= from)
  // A probe and a resync of the cluster are as many whatever the number of services.
  const own = requests.filter(({ path }) => services.some((service) => path.includes(`/${service.split('/')[1]}`)))
  return {
    perCanary: own.length / services.length,
    cpuS: cpuSecondsOf(product.pid()) - cpu,
    told: `${requests.length} requests in a minute, ${own.length} of them for a service${requests.length > 0 ? `: ${byResource(requests, 1)}` : ''}`,
  }
}

/** The candidate turns bad at 10 %, in the middle of its step. */
export async function breach(dir: string, kind: Kind, count: number): Promise<Outcome> {
  return within(dir, count, kind, async (setting) => {
    const release = await releaseAll(setting)
    await whenAll(setting, release.ids, 30_000, (one) => Number.isFinite(entered(one, 'progressing')))
    await pause(2000)
    const turnedMs = Date.now()
    setting.metrics.turnBad(0.5)
    const shown = await whenAll(setting, release.ids, 60_000, (one) => Number.isFinite(entered(one, 'rolled-back')))
    const backs = setting.cluster.requests().filter(({ weights, atMs }) => atMs > turnedMs && weights?.v2 === 0)
    const last = backs.at(-1)?.atMs ?? Number.NaN
    const written = new Set(backs.map(({ path }) => serviceIn(path))).size
    const wrong = shown.filter(({ phase }) => phase !== 'rolled-back').length
    const waits = backs.map((back) => back.atMs - lookBefore(setting.metrics.asked, back)).sort((a, b) => a - b)
    const slowestS = (waits.at(-1) ?? Number.NaN) / 1000
    return {
      cells: {
        'breach, N = 20: metric turns → last VirtualService 100/0': `${((last - turnedMs) / 1000).toFixed(1)} s`,
        'breach, N = 20: the look that sees it → 100/0, the slowest': `${slowestS.toFixed(1)} s`,
      },
      told: [
        `${written} VirtualServices at 100/0, ${(((backs[0]?.atMs ?? 0) - turnedMs) / 1000).toFixed(1)} to ${((last - turnedMs) / 1000).toFixed(1)} s after the metric turned`,
        `from the look to the write: median ${waits[Math.floor(waits.length / 2)]} ms, at most ${waits.at(-1)} ms`,
      ],
      missed: [
        ...(written === count && wrong === 0 ? [] : [`${written} of ${count} written back, ${wrong} not rolled back`]),
        ...(slowestS <= 3 ? [] : [`${slowestS} s from a look to its write, more than 3 s`]),
      ],
    }
  })
}

/** When the service of a write was looked at last before it. */
function lookBefore(asked: readonly Look[], { atMs, path }: KubeRequest): number {
  return asked.findLast((look) => look.service === serviceIn(path) && look.atMs <= atMs)?.atMs ?? Number.NaN
}

function serviceIn(path: string): string | undefined {
  return /\/virtualservices\/([^/?]+)/.exec(path)?.[1]
}

/** The metrics store answers 500 from the first look on. */
export async function metricsOut(dir: string, kind: Kind, count: number): Promise<Outcome> {
  return within(dir, count, kind, async (setting) => {
    setting.metrics.fail(500)
    const release = await releaseAll(setting)
    await pause(60_000)
    const shown = await whenAll(setting, release.ids, 1000, () => true)
    const moved = (phase: string) => shown.filter((one) => Number.isFinite(entered(one, phase))).length
    const [promoted, back] = [moved('baking'), moved('rolling-back')]
    const held = shown.filter(({ phase }) => phase === 'blind').length
    const words = `${promoted} promoted, ${back} rolled back, ${held} of ${count} held (blind)`
    const missed = promoted + back > 0 || held < count ? [words] : []
    return { cells: { 'metrics server answers 500, N = 20, after a minute': words }, told: [words], missed }
  })
}

async function within(
  dir: string,
  count: number,
  kind: Kind,
  work: (setting: Setting) => Promise<Outcome>,
): Promise<Outcome> {
  const setting = await startSetting(dir, count, kind)
  try {
    return await work(setting)
  } finally {
    await setting.stop()
  }
}
