import { Socket } from 'node:net'
import { createPipelineRequest } from '@azure/core-rest-pipeline'
import { CoreV1Api, createConfiguration, ServerConfiguration } from '@kubernetes/client-node'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { type Emulator, jsonResponse } from '../../../../src/sandbox/emulators/emulator.ts'
import { fetchTransport } from '../../../../src/sandbox/transports/fetch-transport.ts'
import { kubernetesTransport } from '../../../../src/sandbox/transports/kubernetes-transport.ts'
import { pipelineTransport } from '../../../../src/sandbox/transports/pipeline-transport.ts'
import { ConnectionError, routeByHost, throughWire } from '../../../../src/sandbox/transports/wire.ts'

const echo: Emulator = async ({ method, url, headers, body }) =>
  jsonResponse(200, { method, url: url.href, token: headers['x-token'], body: new TextDecoder().decode(body) })

const never: Emulator = () => new Promise(() => {})

const connect = vi.spyOn(Socket.prototype, 'connect')
beforeEach(() => void connect.mockClear())
afterEach(() => {
  vi.useRealTimers()
  expect(connect, 'sockets opened').not.toHaveBeenCalled()
})

it('carries an Azure request and its answer', async () => {
  const request = createPipelineRequest({ url: 'https://db.test/x?y=1', method: 'POST', body: '{"a":"ä"}' })
  request.headers.set('X-Token', 'secret')
  const response = await pipelineTransport(echo).sendRequest(request)
  expect(response.status).toBe(200)
  expect(response.headers.get('Content-Type')).toBe('application/json')
  expect(JSON.parse(response.bodyAsText ?? '')).toEqual({
    method: 'POST',
    url: 'https://db.test/x?y=1',
    token: 'secret',
    body: '{"a":"ä"}',
  })
})

it('gives up an Azure request when its signal fires or its time is up', async () => {
  const transport = pipelineTransport(never)
  const controller = new AbortController()
  const aborted = transport.sendRequest(
    createPipelineRequest({ url: 'https://db.test/', abortSignal: controller.signal }),
  )
  controller.abort()
  await expect(aborted).rejects.toMatchObject({ name: 'AbortError' })
  await expect(
    transport.sendRequest(createPipelineRequest({ url: 'https://db.test/', abortSignal: controller.signal })),
  ).rejects.toMatchObject({ name: 'AbortError' })

  vi.useFakeTimers()
  const late = transport.sendRequest(createPipelineRequest({ url: 'https://db.test/', timeout: 5_000 }))
  const outcome = expect(late).rejects.toMatchObject({ name: 'AbortError' })
  await vi.advanceTimersByTimeAsync(5_000)
  await outcome
  expect(vi.getTimerCount()).toBe(0)
})

it('gives a broken wire the shape that the SDKs retry on', async () => {
  const broken = throughWire(echo, async () => {
    throw new ConnectionError('ECONNRESET')
  })
  const request = createPipelineRequest({ url: 'https://db.test/' })
  await expect(pipelineTransport(broken).sendRequest(request)).rejects.toMatchObject({
    name: 'RestError',
    code: 'ECONNRESET',
  })
  await expect(fetchTransport(broken)('https://db.test/')).rejects.toMatchObject({
    message: 'fetch failed',
    cause: { code: 'ECONNRESET' },
  })
})

it('lets a wire deliver twice, lose an answer or make one up', async () => {
  let delivered = 0
  const counting: Emulator = async (request) => {
    delivered++
    return echo(request)
  }
  const wire = throughWire(counting, async (request, deliver) => {
    if (request.url.pathname === '/twice') await deliver()
    if (request.url.pathname === '/busy') return jsonResponse(429, {})
    return deliver()
  })
  const call = fetchTransport(wire)
  expect((await call('https://db.test/twice')).status).toBe(200)
  expect(delivered).toBe(2)
  expect((await call('https://db.test/busy')).status).toBe(429)
  expect(delivered).toBe(2)
})

it('routes by host, by name and port first', async () => {
  const named = (name: string): Emulator => {
    return async () => jsonResponse(200, name)
  }
  const call = fetchTransport(
    routeByHost({ 'a.test': named('a'), 'a.test:8443': named('a8443'), 'b.test': named('b') }),
  )
  expect(await (await call('https://a.test/')).json()).toBe('a')
  expect(await (await call('https://a.test:8443/')).json()).toBe('a8443')
  expect(await (await call('http://b.test/')).json()).toBe('b')
  await expect(call('https://constructor/')).rejects.toMatchObject({ cause: { code: 'ENOTFOUND' } })
})

it('is a fetch: body, headers, empty answers and signals', async () => {
  const call = fetchTransport(echo)
  const response = await call('https://db.test/p', { method: 'PUT', body: 'hello', headers: { 'X-Token': 't' } })
  expect(await response.json()).toMatchObject({ method: 'PUT', body: 'hello', token: 't' })
  const empty = fetchTransport(async () => ({ status: 204, headers: {}, body: '' }))
  expect((await empty('https://db.test/')).body).toBeNull()
  const reason = new Error('enough')
  await expect(fetchTransport(never)('https://db.test/', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  const controller = new AbortController()
  const pending = fetchTransport(never)('https://db.test/', { signal: controller.signal })
  controller.abort()
  await expect(pending).rejects.toMatchObject({ name: 'AbortError' })
})

it('carries the Kubernetes client', async () => {
  const seen: string[] = []
  const api: Emulator = async ({ method, url, body }) => {
    seen.push(`${method} ${url.pathname} ${new TextDecoder().decode(body)}`)
    if (method === 'GET') return jsonResponse(404, { kind: 'Status', code: 404, reason: 'NotFound' })
    return jsonResponse(201, { metadata: { name: 'shop', uid: '1' } })
  }
  const configuration = createConfiguration({
    baseServer: new ServerConfiguration('https://east.test', {}),
    httpApi: kubernetesTransport(api),
  })
  const client = new CoreV1Api(configuration)
  const made = await client.createNamespace({ body: { metadata: { name: 'shop' } } })
  expect(made.metadata?.uid).toBe('1')
  await expect(client.readNamespace({ name: 'none' })).rejects.toMatchObject({ code: 404 })
  expect(seen).toEqual(['POST /api/v1/namespaces {"metadata":{"name":"shop"}}', 'GET /api/v1/namespaces/none '])
})
