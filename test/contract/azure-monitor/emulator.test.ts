import { beforeEach, describe, expect, it } from 'vitest'
import type { CountQuestion, CountsSource } from '../../../src/ports/metrics.ts'
import type { MonitorFaults } from '../../../src/sandbox/emulators/azure-monitor/access.ts'
import type { CountedRow } from '../../../src/sandbox/emulators/azure-monitor/kql/run.ts'
import { logsEmulator } from '../../../src/sandbox/emulators/azure-monitor/logs.ts'
import { type MinuteTotal, metricsBatchEmulator } from '../../../src/sandbox/emulators/azure-monitor/metrics-batch.ts'
import { type AzureOnEmulator, azureOn, east, sourcesOn } from './azure.ts'

/** Our sources of counts over the real SDKs, against the emulators. */

const T0 = Date.UTC(2030, 0, 1, 12)
const SECOND = 1000
const MINUTE = 60 * SECOND
const WORKSPACE = '11111111-2222-4333-8444-555555555555'
const COMPONENT = `/subscriptions/${WORKSPACE}/resourceGroups/rg/providers/microsoft.insights/components/shop`
const GATEWAY = `/subscriptions/${WORKSPACE}/resourceGroups/rg/providers/Microsoft.ServiceNetworking/trafficControllers/east`
const SPAN = { fromMs: T0, toMs: T0 + 2 * MINUTE, nowMs: T0 + 4 * MINUTE }
const QUESTION: CountQuestion = {
  service: { namespace: 'shop', name: 'web' },
  versions: { stable: 'v1', next: 'v2' },
  bad: { kind: 'errors' },
}

interface Request {
  readonly atMs: number
  readonly version?: string
  readonly role?: string
  readonly code?: string
  readonly success?: boolean
  readonly durationMs?: number
  readonly cluster?: string
}

function row(
  { atMs, version = 'v1', role = 'web', code = '200', success, durationMs = 20, cluster = 'east' }: Request,
  count = 1,
): CountedRow {
  return {
    row: {
      TimeGenerated: new Date(atMs),
      AppRoleName: role,
      AppVersion: version,
      ResultCode: code,
      Success: success ?? code < '400',
      DurationMs: durationMs,
      Properties: { 'k8s.cluster.name': cluster, release: `r-${version}` },
    },
    count,
  }
}

let rows: CountedRow[]
let faults: MonitorFaults
let on: AzureOnEmulator

async function logs(spec: object = {}): Promise<CountsSource> {
  const inWindow = (fromMs: number, toMs: number) =>
    rows.filter(({ row }) => Number(row.TimeGenerated) > fromMs && Number(row.TimeGenerated) <= toMs)
  on = await azureOn((checkToken) =>
    logsEmulator({
      checkToken,
      faults,
      now: Date.now,
      logs: { rows: (place, from, to) => ([WORKSPACE, COMPONENT].includes(place) ? inWindow(from, to) : undefined) },
    }),
  )
  const found = await sourcesOn(on.azure).openCounts(east({ logs: { workspaceId: WORKSPACE, ...spec } }), 'logs')
  if (!found) throw new Error('no source')
  return found
}

beforeEach(() => {
  faults = {}
  rows = [
    row({ atMs: T0 }, 1000),
    row({ atMs: T0 + 1 }, 90),
    row({ atMs: T0 + 2 * MINUTE, version: 'v2' }, 8),
    row({ atMs: T0 + MINUTE, version: 'v2', code: '503' }, 2),
    row({ atMs: T0 + 3 * MINUTE, version: 'v2', code: '500' }, 50),
    row({ atMs: T0 + MINUTE, version: 'v3', code: '500' }, 50),
    row({ atMs: T0 + MINUTE, role: 'api', code: '500' }, 50),
  ]
})

describe('requests in logs', () => {
  it('are counted by version after the window’s begin up to its end, and the newest up to now is told', async () => {
    const source = await logs()
    expect(await source.counts(QUESTION, SPAN)).toEqual({
      byVersion: { stable: { good: 90, bad: 0 }, next: { good: 8, bad: 2 } },
      newestMs: T0 + 3 * MINUTE,
    })
    expect(on.scopes).toEqual(['https://api.loganalytics.io/.default'])
    expect(on.asked.map(({ url }) => url.href)).toEqual([
      `https://api.loganalytics.io/v1/workspaces/${WORKSPACE}/query`,
    ])
    expect(on.asked[0]?.headers.prefer).toBe('wait=15')
  })

  it('failed by 5xx, by a failing gRPC status, or without a code by their own word; others are not our fault', async () => {
    const at = { atMs: T0 + MINUTE }
    const bad = ['500', '599', '2', '4', '12', '13', '14', '15'].map((code) => row({ ...at, code, success: true }))
    const good = ['200', '404', '499', '0', '1', '5', '16'].map((code) => row({ ...at, code, success: false }))
    rows = [...bad, ...good, row({ ...at, code: 'Faulted', success: false }), row({ ...at, code: '', success: true })]
    const { byVersion } = await (await logs()).counts(QUESTION, SPAN)
    expect(byVersion).toEqual({ stable: { good: good.length + 1, bad: bad.length + 1 } })
  })

  it('are slow beyond any threshold, to the point', async () => {
    rows = [300, 300.4, 300.5, 301].map((durationMs) => row({ atMs: T0 + MINUTE, durationMs }))
    const source = await logs()
    const slow = (overMs: number) => source.counts({ ...QUESTION, bad: { kind: 'latency', overMs } }, SPAN)
    expect((await slow(300)).byVersion.stable).toEqual({ good: 1, bad: 3 })
    expect((await slow(300.45)).byVersion.stable).toEqual({ good: 2, bad: 2 })
  })

  it('are read by the classic names of an Application Insights component too', async () => {
    const source = await logs({ workspaceId: undefined, resourceId: COMPONENT, table: 'requests' })
    rows.push(row({ atMs: T0 + MINUTE, version: 'v2', code: '', success: false }))
    expect((await source.counts(QUESTION, SPAN)).byVersion.next).toEqual({ good: 8, bad: 3 })
    expect(decodeURIComponent(on.asked[0]?.url.pathname ?? '')).toMatch(/\/components\/shop\/query$/)
  })

  it('are those of the cluster, of the role and of the version dimension that it names', async () => {
    rows = [
      row({ atMs: T0 + MINUTE, role: 'shop.web' }, 5),
      row({ atMs: T0 + MINUTE, role: 'shop.web', cluster: 'west' }, 7),
    ]
    const source = await logs({
      roleName: '{namespace}.{name}',
      versionDimension: 'release',
      where: { 'k8s.cluster.name': 'east' },
    })
    const versions = { stable: 'r-v1', next: 'r-v2' }
    expect((await source.counts({ ...QUESTION, versions }, SPAN)).byVersion).toEqual({ stable: { good: 5, bad: 0 } })
  })

  it('are none, without a newest, where none came', async () => {
    rows = []
    expect(await (await logs()).counts(QUESTION, SPAN)).toEqual({ byVersion: {} })
  })

  it('in part only are no answer', async () => {
    faults.logs = 'partial'
    await expect((await logs()).counts(QUESTION, SPAN)).rejects.toMatchObject({
      kind: 'unavailable',
      reason: 'PartialFailure',
      message: expect.stringContaining('PartialError'),
    })
  })

  it.each([
    [
      { status: 429, retryAfterS: 17 },
      { kind: 'throttled', retryAfterMs: 17_000 },
    ],
    [{ status: 403 }, { kind: 'denied' }],
    [{ status: 503 }, { kind: 'unavailable' }],
  ])('that are refused with %j are an error of its kind, asked for once', async (fault, error) => {
    faults.logs = fault
    await expect((await logs()).counts(QUESTION, SPAN)).rejects.toMatchObject({ ...error, system: 'Logs east' })
    expect(on.asked).toHaveLength(1)
  })

  it('of a workspace that is not there are an error', async () => {
    const source = await logs({ workspaceId: '99999999-2222-4333-8444-555555555555' })
    await expect(source.counts(QUESTION, SPAN)).rejects.toMatchObject({
      kind: 'not-found',
      reason: 'WorkspaceNotFoundError',
    })
  })

  it('are not asked for again before the rest that the service wanted is over', async () => {
    faults.logs = { status: 429, retryAfterS: 30 }
    const source = await logs()
    await expect(source.counts(QUESTION, SPAN)).rejects.toMatchObject({ kind: 'throttled' })
    faults.logs = undefined
    await expect(source.counts(QUESTION, SPAN)).rejects.toMatchObject({ kind: 'throttled', reason: 'Resting' })
    expect(on.asked).toHaveLength(1)
  })
})

describe('the log emulator', () => {
  it('refuses what it does not know as the service refuses a bad query', async () => {
    await logs()
    const client = new (await import('@azure/monitor-query-logs')).LogsQueryClient(on.azure.credential, {
      ...(on.azure.httpClient ? { httpClient: on.azure.httpClient } : {}),
    })
    const ask = (kql: string) =>
      client.queryWorkspace(WORKSPACE, kql, { startTime: new Date(T0), endTime: new Date(SPAN.nowMs) })
    for (const [kql, code] of [
      ['AppRequests | join AppTraces on Id', 'SyntaxError'],
      ['AppRequests | where AppRoleName == "a', 'SyntaxError'],
      ['AppRequests | where Nothing == "a"', 'SemanticError'],
      ['AppRequests | where DurationMs == "a"', 'SemanticError'],
      ['Secrets | where TimeGenerated > datetime(2030-01-01)', 'SemanticError'],
    ] as const) {
      await expect(ask(kql)).rejects.toMatchObject({
        statusCode: 400,
        details: { error: { code: 'BadArgumentError', innererror: { code } } },
      })
    }
  })

  it('wants a token for logs', async () => {
    await logs()
    const body = new TextEncoder().encode('{}')
    const url = new URL(`https://api.loganalytics.io/v1/workspaces/${WORKSPACE}/query`)
    const status = async (token?: string) => {
      const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` }
      return (await on.azure.fetch(url, { method: 'POST', headers, body })).status
    }
    expect(await status()).toBe(401)
    expect(await status(await on.entra.issueServiceToken('https://metrics.monitor.azure.com'))).toBe(403)
    expect(await status(await on.entra.issueServiceToken('https://api.loganalytics.io'))).toBe(400)
  })
})

const PLATFORM = {
  resourceId: GATEWAY,
  namespace: 'Microsoft.ServiceNetworking/trafficControllers',
  region: 'westeurope',
  all: { metric: 'BackendHTTPResponseStatus' },
  bad: { metric: 'BackendHTTPResponseStatus', where: { HttpResponseCode: ['500', '503'] } },
  versionDimension: 'BackendService',
  versionValue: '{namespace}/{name}/{version}',
}

describe('platform metrics', () => {
  let totals: MinuteTotal[]
  const minute = (at: number, version: string, code: string, total: number): MinuteTotal => ({
    dimensions: { BackendService: `shop/web/${version}`, HttpResponseCode: code },
    minuteMs: T0 + at * MINUTE,
    total,
  })

  async function platform(spec: object = {}): Promise<CountsSource> {
    on = await azureOn((checkToken) =>
      metricsBatchEmulator({
        checkToken,
        faults,
        metrics: {
          dimensions: (_, metric) =>
            metric === PLATFORM.all.metric ? ['BackendService', 'HttpResponseCode'] : undefined,
          totals: (id, _, from, to) =>
            id === GATEWAY ? totals.filter(({ minuteMs }) => minuteMs >= from && minuteMs < to) : undefined,
        },
      }),
    )
    const found = await sourcesOn(on.azure).openCounts(east({ platform: { ...PLATFORM, ...spec } }), 'platform')
    if (!found) throw new Error('no source')
    return found
  }

  beforeEach(() => {
    totals = [
      minute(-1, 'v1', '200', 1000),
      minute(0, 'v1', '200', 40),
      minute(1, 'v1', '200', 50),
      minute(1, 'v2', '200', 7),
      minute(1, 'v2', '503', 2),
      minute(0, 'v2', '404', 1),
      minute(2, 'v2', '503', 500),
      minute(1, 'v3', '503', 500),
    ]
  })

  it('are counted over the whole minutes of a window, all and bad', async () => {
    const source = await platform()
    expect(await source.counts(QUESTION, SPAN)).toEqual({
      byVersion: { stable: { good: 90, bad: 0 }, next: { good: 8, bad: 2 } },
      newestMs: T0 + 3 * MINUTE,
    })
    expect(on.scopes).toEqual(['https://metrics.monitor.azure.com/.default'])
    expect(on.asked.map(({ url }) => `${url.host}${url.pathname}`)).toEqual(
      Array(2).fill(`westeurope.metrics.monitor.azure.com/subscriptions/${WORKSPACE}/metrics:getBatch`),
    )
    expect(on.asked[1]?.url.searchParams.get('filter')).toBe(
      "(HttpResponseCode eq '500' or HttpResponseCode eq '503') and (BackendService eq 'shop/web/v1' or BackendService eq 'shop/web/v2')",
    )
  })

  it('are none, without a newest, where none came', async () => {
    totals = []
    expect(await (await platform()).counts(QUESTION, SPAN)).toEqual({ byVersion: {} })
  })

  it('with more bad than all are not believed', async () => {
    const source = await platform({ all: { metric: PLATFORM.all.metric, where: { HttpResponseCode: '404' } } })
    await expect(source.counts(QUESTION, SPAN)).rejects.toMatchObject({ kind: 'unavailable', reason: 'Unreadable' })
  })

  it.each([
    [{ all: { metric: 'Nothing' } }, 'invalid'],
    [{ versionDimension: 'Nothing' }, 'invalid'],
    [{ resourceId: `${GATEWAY}-2` }, 'not-found'],
  ])('asked for wrongly are an error: %j', async (spec, kind) => {
    await expect((await platform(spec)).counts(QUESTION, SPAN)).rejects.toMatchObject({ kind })
  })

  it('that are throttled say for how long', async () => {
    faults.metrics = { status: 429, retryAfterS: 5 }
    const error = { kind: 'throttled', retryAfterMs: 5000, system: 'Platform metrics east' }
    await expect((await platform()).counts(QUESTION, SPAN)).rejects.toMatchObject(error)
    expect(on.asked).toHaveLength(1)
  })
})
