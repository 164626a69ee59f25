import { context, metrics, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { countedMessenger } from '../../../src/adapters/counted-messenger.ts'
import { openTelemetry } from '../../../src/adapters/open-telemetry.ts'
import { tracedAzure } from '../../../src/adapters/traced-http.ts'
import { tracedQueue } from '../../../src/adapters/traced-queue.ts'
import { PortError } from '../../../src/ports/port-error.ts'
import { NO_TELEMETRY } from '../../../src/ports/telemetry.ts'

const PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
const exporter = new InMemorySpanExporter()

beforeEach(() => {
  exporter.reset()
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }))
})
afterEach(() => {
  trace.disable()
  context.disable()
  metrics.disable()
})

const only = () => exporter.getFinishedSpans()[0]

describe('a span', () => {
  it('belongs to the trace that came with the message', async () => {
    const { span } = openTelemetry()
    expect(await span('work probe', { a: 1 }, async () => 7, PARENT)).toBe(7)
    expect(only()).toMatchObject({
      name: 'work probe',
      kind: SpanKind.CONSUMER,
      attributes: { a: 1 },
      parentSpanContext: { traceId: PARENT.slice(3, 35), spanId: PARENT.slice(36, 52) },
    })
  })

  it.each([
    '',
    'nonsense',
    PARENT.replace('0af', '000').replace(/[1-9a-f]/g, '0'),
    PARENT.toUpperCase(),
    `${PARENT}-01`,
  ])('begins a trace of its own when what came is broken: %s', async (parent) => {
    await openTelemetry().span('http GET /x', {}, async () => undefined, parent)
    expect(only()?.parentSpanContext).toBeUndefined()
    expect(only()?.spanContext().traceId).toMatch(/^[0-9a-f]{32}$/)
  })

  it('that fails tells the kind of the error, and not its words', async () => {
    const error = new PortError('denied', 'vault', 'secret words', { reason: 'Forbidden' })
    await expect(openTelemetry().span('sweep', {}, () => Promise.reject(error))).rejects.toBe(error)
    expect(only()).toMatchObject({
      status: { code: SpanStatusCode.ERROR },
      attributes: { 'error.type': 'denied', 'error.reason': 'Forbidden' },
    })
    expect(JSON.stringify(only()?.attributes) + JSON.stringify(only()?.events)).not.toContain('secret words')
  })
})

describe('a traceparent', () => {
  it('names the running span', async () => {
    const telemetry = openTelemetry()
    const inside = await telemetry.span('feed', {}, async () => telemetry.traceparent(), PARENT)
    expect(inside).toBe(`00-${PARENT.slice(3, 35)}-${only()?.spanContext().spanId}-01`)
    expect(telemetry.traceparent()).toBeUndefined()
  })

  it('goes with messages that are to be done at once, and keeps the one that is there', async () => {
    const sent: unknown[] = []
    const telemetry = { ...NO_TELEMETRY, traceparent: () => 'here' }
    const queue = tracedQueue({ send: async (_name, message) => void sent.push(message) }, telemetry)
    const message = { kind: 'advance', service: 'shop/web' } as const
    await queue.send('work', message)
    await queue.send('work', { ...message, trace: 'there' })
    await queue.send('work', message, 5000)
    expect(sent).toEqual([{ ...message, trace: 'here' }, { ...message, trace: 'there' }, message])
  })
})

it('costs nothing when nobody has registered an SDK', async () => {
  trace.disable()
  const telemetry = openTelemetry()
  expect(await telemetry.span('feed', {}, async () => telemetry.traceparent())).toBeUndefined()
  telemetry.count('meshwright.work.failures', { kind: 'probe' })
  telemetry.record('meshwright.work.duration', 1)
  telemetry.gauge('meshwright.sweep.due', 1)
  expect(exporter.getFinishedSpans()).toEqual([])
})

it('requests outside tell system, method, host and status, and no path or query', async () => {
  const credential = { getToken: async () => null }
  const fetch = async () => new Response(null, { status: 204 })
  const azure = tracedAzure({ credential, fetch }, openTelemetry())
  await azure.fetch('https://prod.logic.azure.com/workflows/abc?sig=secret', { method: 'POST' })
  expect(only()).toMatchObject({ name: 'outside POST teams', kind: SpanKind.CLIENT })
  expect(only()?.attributes).toEqual({
    'http.request.method': 'POST',
    'server.address': 'prod.logic.azure.com',
    'http.response.status_code': 204,
  })
})

it('messages to channels are counted as sent or failed', async () => {
  const counted: unknown[] = []
  const telemetry = { ...NO_TELEMETRY, count: (...what: unknown[]) => void counted.push(what) }
  const message = { kind: 'teams', url: 'https://example.com', body: {} } as const
  await countedMessenger({ send: async () => undefined }, telemetry).send(message)
  const broken = countedMessenger({ send: () => Promise.reject(new Error('no')) }, telemetry)
  await expect(broken.send({ ...message, kind: 'slack-response' })).rejects.toThrow('no')
  expect(counted).toEqual([
    ['meshwright.notifications', { channel: 'teams', result: 'sent' }],
    ['meshwright.notifications', { channel: 'slack', result: 'failed' }],
  ])
})
