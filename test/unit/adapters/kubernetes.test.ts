import { type HttpLibrary, type RequestContext, ResponseContext, wrapHttpLibrary } from '@kubernetes/client-node'
import { describe, expect, it } from 'vitest'
import { kubernetesClusters } from '../../../src/adapters/kubernetes/cluster-apis.ts'
import { clusterSpec } from '../../../src/model/cluster.ts'
import type { ClusterApi } from '../../../src/ports/cluster-api.ts'
import { kubeconfigText } from '../../contract/cluster-api/kubeconfig-text.ts'
import { settle, type VirtualClock, virtualClock } from './virtual-clock.ts'

interface Given {
  readonly status: number
  readonly body?: unknown
  readonly headers?: Record<string, string>
}
type Answer = Given | Error | 'silence'

const east = { name: 'east', spec: clusterSpec.parse({ kubeconfig: { context: 'east' } }) }
const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'a' }
const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'shop', name: 'a' } }
const status = (code: number, more: Record<string, unknown> = {}): Given => ({
  status: code,
  body: { kind: 'Status', code, message: `status ${code}`, ...more },
})

/** A server that gives these answers in turn, and what it was asked. */
function scripted(...answers: Answer[]): { http: HttpLibrary; asked: RequestContext[] } {
  const asked: RequestContext[] = []
  const http = wrapHttpLibrary({
    async send(request) {
      asked.push(request)
      const answer = answers.shift()
      if (answer === undefined) throw new Error('asked too often')
      if (answer === 'silence') {
        return new Promise((_, reject) =>
          request.getSignal()?.addEventListener('abort', () => reject(new Error('aborted'))),
        )
      }
      if (answer instanceof Error) throw answer
      const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body ?? {})
      const body = { text: async () => text, binary: async () => Buffer.from(text), stream: () => null }
      return new ResponseContext(answer.status, answer.headers ?? {}, body)
    },
  })
  return { http, asked }
}

async function connect(http: HttpLibrary, clock: VirtualClock = virtualClock()): Promise<ClusterApi> {
  const kubeconfig = { text: kubeconfigText('https://east.test', 'a-token') }
  return kubernetesClusters({ kubeconfig, http }, clock).connect(east)
}

/** The outcome of a call while time goes on as far as it needs. */
async function outcome<T>(call: Promise<T>, clock: VirtualClock): Promise<T | unknown> {
  const settled = call.catch((error: unknown) => error)
  for (let second = 0; second < 40; second += 1) await clock.pass(1000)
  return settled
}

describe('a request', () => {
  it('goes to the server of the kubeconfig, signed in, as server-side apply wants it', async () => {
    const { http, asked } = scripted({ status: 200, body: object })
    await (await connect(http)).apply(object, { force: true, dryRun: true })
    const [request] = asked
    expect(request?.getUrl()).toBe(
      'https://east.test/api/v1/namespaces/shop/configmaps/a?fieldManager=meshwright&fieldValidation=Strict&force=true&dryRun=All',
    )
    expect(request?.getHttpMethod()).toBe('PATCH')
    expect(request?.getHeaders()).toMatchObject({
      Authorization: 'Bearer a-token',
      'Content-Type': 'application/apply-patch+yaml',
    })
    expect(JSON.parse(String(request?.getBody()))).toEqual(object)
  })

  it.each([
    ['503', status(503)],
    ['429 with a short wait', { ...status(429), headers: { 'retry-after': '2' } }],
    ['a lost connection', Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })],
  ] as const)('that reads is tried once more after %s', async (_, first) => {
    const clock = virtualClock()
    const { http, asked } = scripted(first, { status: 200, body: object })
    expect(await outcome((await connect(http, clock)).get(ref), clock)).toEqual(object)
    expect(asked).toHaveLength(2)
  })

  it('that reads is tried twice and no more', async () => {
    const clock = virtualClock()
    const { http, asked } = scripted(status(500), status(503))
    expect(await outcome((await connect(http, clock)).get(ref), clock)).toMatchObject({ kind: 'unavailable' })
    expect(asked).toHaveLength(2)
  })

  it('waits before the second try as long as it is told', async () => {
    const clock = virtualClock()
    const { http, asked } = scripted({ ...status(429), headers: { 'retry-after': '2' } }, { status: 200, body: object })
    const call = (await connect(http, clock)).get(ref)
    await clock.pass(1999)
    expect(asked).toHaveLength(1)
    await clock.pass(1)
    expect(await call).toEqual(object)
  })

  it('leaves a long wait to the caller', async () => {
    const clock = virtualClock()
    const { http, asked } = scripted({ ...status(429), headers: { 'retry-after': '60' } })
    const failure = await outcome((await connect(http, clock)).get(ref), clock)
    expect(failure).toMatchObject({ kind: 'throttled', retryAfterMs: 60_000 })
    expect(asked).toHaveLength(1)
  })

  it.each([status(503), status(429), new Error('socket hang up')])('that writes is never repeated', async (first) => {
    const clock = virtualClock()
    const { http, asked } = scripted(first)
    expect(await outcome((await connect(http, clock)).apply(object, { force: true }), clock)).toMatchObject({
      name: 'PortError',
    })
    expect(asked).toHaveLength(1)
  })

  it('ends after ten seconds of silence', async () => {
    const clock = virtualClock()
    const { http } = scripted('silence')
    let failure: unknown
    void (await connect(http, clock)).apply(object, { force: true }).catch((error: unknown) => {
      failure = error
    })
    await clock.pass(9999)
    expect(failure).toBeUndefined()
    await clock.pass(1)
    expect(failure).toMatchObject({ kind: 'unavailable', reason: 'Timeout', system: 'Kubernetes east' })
    await settle()
    expect(clock.sleepers()).toBe(0)
  })
})

describe('an answer', () => {
  const cause = (reason: string, field: string) => ({ details: { causes: [{ reason, field }] } })

  it.each([
    [status(400), 'invalid'],
    [status(401, { reason: 'Unauthorized' }), 'denied', 'Unauthorized'],
    [status(403, { reason: 'Forbidden' }), 'denied', 'Forbidden'],
    [status(404, { reason: 'NotFound' }), 'not-found', 'NotFound'],
    [status(404, { message: 'the server could not find the requested resource' }), 'not-found', 'UnknownKind'],
    [{ status: 404, body: '404 page not found' }, 'not-found', 'UnknownKind'],
    [status(409, cause('FieldManagerConflict', '.spec.http')), 'conflict', 'FieldManagerConflict'],
    [status(409, { reason: 'AlreadyExists' }), 'conflict', 'AlreadyExists'],
    [status(409, { reason: 'Conflict' }), 'precondition', 'Conflict'],
    [status(422, cause('FieldValueInvalid', 'metadata.uid')), 'precondition', 'Uid'],
    [status(422, cause('FieldValueInvalid', 'spec')), 'invalid'],
    [status(500, { message: 'failed to create typed patch object (a/b): .spec: expected map' }), 'invalid'],
    [status(500), 'unavailable'],
    [status(504), 'unavailable'],
    [{ status: 502, body: '<html>Bad Gateway</html>' }, 'unavailable'],
    [{ status: 302, headers: { location: 'http://169.254.169.254/' } }, 'unavailable', 'Redirect'],
    [{ status: 200, body: '{"kind":"Conf' }, 'unavailable', 'NotJson'],
    [{ status: 200, body: 'x'.repeat(33 * 1024 * 1024) }, 'unavailable', 'TooLarge'],
  ] as const)('%o is %s', async (answer, kind, reason?: string) => {
    const { http } = scripted(answer)
    const failure = await (await connect(http)).apply(object, { force: false }).catch((error: unknown) => error)
    expect(failure).toMatchObject({ name: 'PortError', kind, system: 'Kubernetes east' })
    if (reason !== undefined) expect(failure).toMatchObject({ reason })
  })

  it.each([
    ['ENOTFOUND', 'NameLookup'],
    ['ECONNREFUSED', 'ConnectionRefused'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'Certificate'],
  ])('that never comes is explained: %s', async (code, reason) => {
    const { http } = scripted(new TypeError('fetch failed', { cause: Object.assign(new Error('x'), { code }) }))
    const failure = await (await connect(http)).remove(ref, 'uid').catch((error: unknown) => error)
    expect(failure).toMatchObject({ kind: 'unavailable', reason })
  })
})

describe('a list', () => {
  const page = (names: string[], next?: string): Given => ({
    status: 200,
    body: { metadata: { ...(next ? { continue: next } : {}) }, items: names.map((name) => ({ metadata: { name } })) },
  })
  const gone = status(410, { reason: 'Expired' })
  const kind = { apiVersion: 'v1', kind: 'ConfigMap' }

  it('starts over when its snapshot has expired', async () => {
    const { http, asked } = scripted(page(['a'], 'more'), gone, page(['a', 'b'], 'on'), page(['c']))
    const found = await (await connect(http)).list(kind, { namespace: 'shop' })
    expect(found.map(({ metadata }) => metadata.name)).toEqual(['a', 'b', 'c'])
    expect(asked.map((request) => new URL(request.getUrl()).searchParams.get('continue'))).toEqual([
      null,
      'more',
      null,
      'on',
    ])
  })

  it('gives up when it expires again and again', async () => {
    const answers = [1, 2, 3].flatMap(() => [page(['a'], 'more'), gone])
    const { http } = scripted(...answers)
    await expect((await connect(http)).list(kind)).rejects.toMatchObject({ name: 'PortError', reason: 'Expired' })
  })

  it('asks once how an unknown kind is addressed', async () => {
    const resources = [
      { name: 'widgets', kind: 'Widget', namespaced: true },
      { name: 'widgets/status', kind: 'Widget', namespaced: true },
    ]
    const { http, asked } = scripted({ status: 200, body: { resources } }, page(['a']), page(['b']))
    const api = await connect(http)
    const widget = { apiVersion: 'example.com/v1', kind: 'Widget' }
    await api.list(widget)
    await api.list(widget, { namespace: 'shop' })
    expect(asked.map((request) => new URL(request.getUrl()).pathname)).toEqual([
      '/apis/example.com/v1',
      '/apis/example.com/v1/widgets',
      '/apis/example.com/v1/namespaces/shop/widgets',
    ])
  })
})

describe('a kubeconfig', () => {
  const connectWith = (text: string, context = 'east') =>
    kubernetesClusters({ kubeconfig: { text } }, virtualClock()).connect({
      name: 'east',
      spec: clusterSpec.parse({ kubeconfig: { context } }),
    })
  const withUser = (user: unknown) =>
    kubeconfigText('https://east.test', 'x').replace('{"token":"x"}', JSON.stringify(user))

  it('with a user that runs a program is refused, and the program does not run', async () => {
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'false' }
    await expect(connectWith(withUser({ exec }))).rejects.toMatchObject({ kind: 'denied', reason: 'ExecRefused' })
    await expect(connectWith(withUser({ 'auth-provider': { name: 'oidc' } }))).rejects.toMatchObject({
      kind: 'denied',
      reason: 'AuthProviderRefused',
    })
  })

  it('that is broken or lacks the context is refused, without a word of what is in it', async () => {
    const broken = await connectWith('users: [{token: a-secret-token').catch((error: unknown) => error)
    expect(broken).toMatchObject({ kind: 'invalid', reason: 'Kubeconfig' })
    expect(JSON.stringify([(broken as Error).message, (broken as Error).cause])).not.toContain('secret')
    await expect(connectWith(kubeconfigText('https://east.test', 'x'), 'west')).rejects.toMatchObject({
      kind: 'invalid',
      reason: 'UnknownContext',
    })
    await expect(connectWith(kubeconfigText('http://east.test', 'x'))).rejects.toMatchObject({ reason: 'PlainHttp' })
  })

  it('is not there, or not meant: then it is said', async () => {
    await expect(kubernetesClusters({}, virtualClock()).connect(east)).rejects.toMatchObject({ reason: 'Kubeconfig' })
    const resourceId =
      '/subscriptions/00000000-0000-4000-8000-000000000000/resourceGroups/a/providers/Microsoft.ContainerService/managedClusters/b'
    const spec = clusterSpec.parse({ resourceId })
    await expect(kubernetesClusters({}, virtualClock()).connect({ name: 'b', spec })).rejects.toMatchObject({
      kind: 'invalid',
      reason: 'Azure',
    })
  })
})
