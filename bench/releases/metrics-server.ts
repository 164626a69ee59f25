import {
  type Emulator,
  type EmulatorRequest,
  type EmulatorResponse,
  jsonResponse,
} from '../../src/sandbox/emulators/emulator.ts'
import { type Served, serve } from '../../src/sandbox/emulators/serve.ts'
import type { Traffic } from './traffic.ts'

export interface Look {
  readonly service: string
  /** Epoch milliseconds. */
  readonly atMs: number
}

/** A Prometheus that answers at once: every service gets a steady load, split as its route says. */
export interface MetricsServer {
  readonly url: string
  /** Queries of the requests to a service. */
  readonly asked: readonly Look[]
  /** From now on the candidate fails this share of its requests. */
  turnBad(share: number): void
  /** From now on every query is answered with this status; undefined: as it should be. */
  fail(status: number | undefined): void
  close(): Promise<void>
}

const SCRAPE_MS = 1000
/** Counters have been rising for so long. */
const BEFORE_MS = 3_600_000
const RANGE = /\[(\d+)(ms|s)\]$/
const SERVICE = /destination_service_name="([^"]+)"/

interface State {
  readonly traffic: () => Traffic
  readonly beganMs: number
  failing?: number
  bad?: { readonly sinceMs: number; readonly share: number }
}

/** Starts it on a free port of 127.0.0.1. */
export async function startMetricsServer(traffic: () => Traffic): Promise<MetricsServer> {
  const state: State = { traffic, beganMs: Date.now() - BEFORE_MS }
  const asked: Look[] = []
  const served: Served = await serve(
    async (request) => {
      const [, service] = SERVICE.exec(queryOf(request).text) ?? []
      if (service !== undefined) asked.push({ service, atMs: Date.now() })
      return answer(state, request)
    },
    { port: 0 },
  )
  return {
    url: served.url,
    asked,
    turnBad(share) {
      state.bad = { sinceMs: Date.now(), share }
    },
    fail(status) {
      if (status === undefined) delete state.failing
      else state.failing = status
    },
    close: () => served.close(),
  }
}

/** The same in this process, without a port. */
export function prometheusOf(traffic: () => Traffic, now: () => number) {
  const state: State = { traffic, beganMs: now() - BEFORE_MS }
  const emulator: Emulator = async (request) => answer(state, request)
  return {
    emulator,
    turnBad(share: number) {
      state.bad = { sinceMs: now(), share }
    },
  }
}

function queryOf({ body }: EmulatorRequest): { readonly text: string; readonly atMs: number } {
  const query = new URLSearchParams(Buffer.from(body).toString('utf8'))
  return { text: query.get('query') ?? '', atMs: Number(query.get('time')) * 1000 }
}

function answer(state: State, request: EmulatorRequest): EmulatorResponse {
  if (state.failing !== undefined) return { status: state.failing, headers: {}, body: 'out of order' }
  const { text, atMs } = queryOf(request)
  return jsonResponse(200, { status: 'success', data: { resultType: 'matrix', result: series(state, text, atMs) } })
}

function series(state: State, query: string, atMs: number): unknown[] {
  const traffic = state.traffic()
  const [, length = '0', unit] = RANGE.exec(query) ?? []
  const [, service = ''] = SERVICE.exec(query) ?? []
  const fromMs = atMs - Number(length) * (unit === 's' ? 1000 : 1)
  const times: number[] = []
  for (let at = Math.floor(atMs / SCRAPE_MS) * SCRAPE_MS; at > fromMs; at -= SCRAPE_MS) times.unshift(at)
  const values = (count: (at: number) => number) => times.map((at) => [at / 1000, String(Math.floor(count(at)))])
  if (query.startsWith('up'))
    return [{ metric: { __name__: 'up', job: 'pods', instance: 'all' }, values: values(() => 1) }]
  // Nobody calls from outside the mesh.
  if (query.includes('connection_security_policy')) return []
  const one = (version: 'v1' | 'v2', code: '200' | '500') => ({
    metric: {
      job: 'pods',
      instance: version,
      destination_version: version,
      response_code: code,
      grpc_response_status: '',
    },
    values: values((at) => requests({ ...state, traffic }, service, { version, code }, at)),
  })
  return [one('v1', '200'), one('v1', '500'), one('v2', '200'), one('v2', '500')]
}

function requests(
  { traffic, beganMs, bad }: Omit<State, 'traffic'> & { readonly traffic: Traffic },
  service: string,
  { version, code }: { readonly version: 'v1' | 'v2'; readonly code: '200' | '500' },
  atMs: number,
): number {
  const candidate = traffic.toCandidate(service, beganMs, atMs)
  if (version === 'v1') return code === '200' ? traffic.all(beganMs, atMs) - candidate : 0
  const failed = bad ? traffic.toCandidate(service, bad.sinceMs, atMs) * bad.share : 0
  return code === '500' ? failed : candidate - failed
}
