import { beforeEach, describe, expect, it } from 'vitest'
import type { ValueSource } from '../../../src/ports/metrics.ts'
import type { MonitorFaults } from '../../../src/sandbox/emulators/azure-monitor/access.ts'
import type { CountedRow } from '../../../src/sandbox/emulators/azure-monitor/kql/run.ts'
import { logsEmulator } from '../../../src/sandbox/emulators/azure-monitor/logs.ts'
import { managedPrometheusEmulator } from '../../../src/sandbox/emulators/azure-monitor/managed-prometheus.ts'
import { fixedSeries } from '../../../src/sandbox/emulators/prometheus/series-source.ts'
import { type AzureOnEmulator, azureOn, clusterOn, east, sourcesOn } from './azure.ts'

/** Queries of one's own over the real SDKs, against the emulators. */

const T0 = Date.UTC(2030, 0, 1, 12)
const MINUTE = 60_000
const WORKSPACE = '11111111-2222-4333-8444-555555555555'
const SPAN = { fromMs: T0, toMs: T0 + 2 * MINUTE }

let rows: CountedRow[]
let faults: MonitorFaults
let on: AzureOnEmulator

function row(atMs: number, durationMs: number, count = 1): CountedRow {
  const columns = { AppRoleName: 'web', AppVersion: 'v2', ResultCode: '200', Success: true, Properties: {} }
  return { row: { TimeGenerated: new Date(atMs), DurationMs: durationMs, ...columns }, count }
}

async function logs(): Promise<ValueSource> {
  const inWindow = (fromMs: number, toMs: number) =>
    rows.filter(({ row }) => Number(row.TimeGenerated) > fromMs && Number(row.TimeGenerated) <= toMs)
  on = await azureOn((checkToken) =>
    logsEmulator({
      checkToken,
      faults,
      now: Date.now,
      logs: { rows: (place, from, to) => (place === WORKSPACE ? inWindow(from, to) : undefined) },
    }),
  )
  const found = await sourcesOn(on.azure).openValues(east({ logs: { workspaceId: WORKSPACE } }), 'logs')
  if (!found) throw new Error('no source')
  return found
}

beforeEach(() => {
  faults = {}
  rows = [
    row(T0, 20, 1000),
    row(T0 + 1, 20, 90),
    row(T0 + MINUTE, 400, 9),
    row(T0 + 2 * MINUTE, 900),
    row(T0 + 3 * MINUTE, 20, 500),
  ]
})

describe('queries on logs', () => {
  it('give a number over the rows of the span, its start left out and its end counted in', async () => {
    const source = await logs()
    expect(await source.values('AppRequests | count', SPAN)).toEqual([100])
    expect(await source.values('AppRequests | summarize slow = countif(DurationMs > 300)', SPAN)).toEqual([10])
    expect(await source.values('AppRequests | summarize p = percentile(DurationMs, 95)', SPAN)).toEqual([400])
    expect(on.asked.map(({ headers }) => headers.prefer)).toEqual(Array(3).fill('wait=15'))
  })

  it('may end in a comment, or in a semicolon', async () => {
    const source = await logs()
    expect(await source.values('AppRequests | count // all of them', SPAN)).toEqual([100])
    expect(await source.values('AppRequests | count ; // all; of them\n', SPAN)).toEqual([100])
  })

  it('give nothing, nothing that is a number, or more than one number', async () => {
    const source = await logs()
    const slow = 'AppRequests | where DurationMs > 5000'
    expect(await source.values(`${slow} | project DurationMs`, SPAN)).toEqual([])
    expect(await source.values(`${slow} | summarize p = percentile(DurationMs, 95)`, SPAN)).toEqual([Number.NaN])
    // A hundred rows, of which two come: more than one is all that has to be known.
    expect(await source.values('AppRequests | project DurationMs', SPAN)).toEqual([20, 20])
  })

  it.each(['AppRequests | summarize n = count() by AppVersion', 'AppRequests | project AppVersion'])(
    'are wrong when they give no column of numbers, or another beside it: %s',
    async (query) => {
      await expect((await logs()).values(query, SPAN)).rejects.toMatchObject({
        kind: 'invalid',
        reason: 'NotANumber',
        message: expect.stringContaining('AppVersion (string)'),
      })
    },
  )

  it.each([
    ['AppRequests | count |', 'SyntaxError'],
    ['AppRequests | where Nothing > 1 | count', 'SemanticError'],
  ])('are wrong in the words of the service: %s', async (query, code) => {
    const error = { kind: 'invalid', system: 'Logs east', reason: 'BadArgumentError' }
    await expect((await logs()).values(query, SPAN)).rejects.toMatchObject(error)
    await expect((await logs()).values(query, SPAN)).rejects.toThrow(
      code === 'SyntaxError' ? /Expected|early/ : /Nothing/,
    )
  })

  it('are not sent when they would read from elsewhere', async () => {
    const error = { kind: 'invalid', reason: 'NotTaken' }
    await expect((await logs()).values('workspace("x").T | count', SPAN)).rejects.toMatchObject(error)
    expect(on.asked).toHaveLength(0)
  })

  it('give no number of a part of an answer', async () => {
    faults.logs = 'partial'
    const error = { kind: 'unavailable', reason: 'PartialFailure' }
    await expect((await logs()).values('AppRequests | count', SPAN)).rejects.toMatchObject(error)
  })
})

describe('queries on managed Prometheus', () => {
  const ofCluster = (cluster: string, each: number) => ({
    labels: { __name__: 'x_total', cluster, pod: 'a' },
    samples: [0, 1, 2, 3, 4].map((n) => [T0 + n * 15_000, n * each] as const),
  })
  const values = async (query: string) => {
    on = await azureOn((checkToken) =>
      managedPrometheusEmulator({
        source: fixedSeries([ofCluster('east', 10), ofCluster('west', 1000)]),
        now: () => T0 + MINUTE,
        checkToken,
      }),
    )
    const endpoint = 'https://shop-1a2b.westeurope.prometheus.monitor.azure.com'
    const source = await clusterOn(on.azure, { azureMonitor: { endpoint } })
    return source.values(query, { fromMs: T0, toMs: T0 + MINUTE })
  }

  it('see one cluster of the workspace, whatever they select', async () => {
    expect(await values('sum(x_total)')).toEqual([40])
    expect(await values('sum(x_total) / sum(x_total { pod = "a" , } offset 15s) + vector(0)')).toEqual([40 / 30])
    expect(await values('sum(x_total{cluster=~".*",pod=~"a|}"}) + sum(x_total{pod="a"}) # x_total{}')).toEqual([80])
  })

  it.each(['sum({__name__="x_total"})', 'sum({__name__=~"x.*"})', 'sum({pod="a"})'])(
    'name one metric in each selector: %s',
    async (query) => {
      await expect(values(query)).rejects.toMatchObject({ kind: 'invalid', system: 'Azure Monitor east' })
      expect(on.asked).toHaveLength(0)
    },
  )
})
