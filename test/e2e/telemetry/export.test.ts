import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { flushing } from '../../../functions/shared/flushing.ts'
import type { App } from '../../../src/app.ts'
import { startTelemetry, type Telling } from '../../../src/start-telemetry.ts'
import { settingsFor } from '../../simulation/surroundings.ts'

/** A collector that keeps what it is sent. */
const received: { path: string; text: string; token: string | undefined }[] = []
let collector: Server
let told: Telling

beforeAll(async () => {
  vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  collector = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const token = request.headers['x-collector-key']
    received.push({ path: request.url ?? '', text: Buffer.concat(chunks).toString(), token: String(token) })
    response.setHeader('content-type', 'application/json').end('{}')
  })
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve))
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', `http://127.0.0.1:${(collector.address() as AddressInfo).port}`)
  vi.stubEnv('OTEL_EXPORTER_OTLP_HEADERS', 'x-collector-key=k1')
  vi.stubEnv('OTEL_SERVICE_NAME', 'mesh-edge')
  const started = await startTelemetry({ ...settingsFor([], false), telemetry: { otlp: true } })
  if (!started) throw new Error('nothing is exported')
  told = started
})
afterAll(() => {
  vi.unstubAllEnvs()
  collector.closeAllConnections()
  collector.close()
})

function bodyAt(path: string) {
  return received.find((each) => each.path === path)
}

function anApp(): App {
  const { telemetry, logSink } = told.overrides
  const span = () =>
    telemetry.span('http GET /x', {}, async () => logSink('warn', '{"level":"warn","event":"work.failed","kind":"k7"}'))
  return {
    http: () => span().then(() => ({ status: 204, headers: {} })),
    work: span,
    feed: span,
    resync: span,
    watch: span,
    scan: span,
    async sweep() {
      telemetry.gauge('meshwright.sweep.due', 3)
    },
  }
}

it('sends spans and log lines of a call at its end, and metrics with a sweep, to the collector of the variables', async () => {
  const app = flushing(anApp(), told.flush)
  await app.work({})
  await vi.waitFor(() => expect(bodyAt('/v1/traces') && bodyAt('/v1/logs')).toBeDefined())
  await app.sweep()
  await vi.waitFor(() => expect(bodyAt('/v1/metrics')).toBeDefined())
  const [traces, logs, metrics] = [bodyAt('/v1/traces'), bodyAt('/v1/logs'), bodyAt('/v1/metrics')]
  expect(traces?.text).toContain('http GET /x')
  expect(traces?.text).toContain('mesh-edge')
  expect(traces?.token).toBe('k1')
  expect(logs?.text).toContain('work.failed')
  expect(metrics?.text).toContain('meshwright.sweep.due')
})

it('delays and fails no call when the collector does not answer', async () => {
  collector.closeAllConnections()
  await new Promise((resolve) => collector.close(resolve))
  const app = flushing(anApp(), told.flush)
  await Promise.all([app.work({}), app.sweep(), app.resync(), app.feed([])])
})
