import { type HttpLibrary, type RequestContext, ResponseContext, wrapHttpLibrary } from '@kubernetes/client-node'
import { beforeEach, describe, expect, it } from 'vitest'
import { kubernetesClusters } from '../../../src/adapters/kubernetes/cluster-apis.ts'
import { clusterSpec, type ManagedClusterFacts } from '../../../src/model/cluster.ts'
import type { ClusterApi, ClusterApis } from '../../../src/ports/cluster-api.ts'
import type { ClusterEndpoint, ManagedClusters } from '../../../src/ports/managed-clusters.ts'
import { PortError } from '../../../src/ports/port-error.ts'
import { armIdOf, someFacts } from '../fakes/fake-managed-clusters.ts'
import { type VirtualClock, virtualClock } from './virtual-clock.ts'

const SERVER = 'https://east-x1.hcp.westeurope.azmk8s.io:443'
const MINUTE = 60_000
const east = { name: 'east', spec: clusterSpec.parse({ resourceId: armIdOf('east') }) }

/** What Azure says, and how old an answer may be that we ask for. */
class Azure implements ManagedClusters {
  known: ManagedClusterFacts = someFacts()
  at: ClusterEndpoint = { server: SERVER, caData: 'QQ==' }
  failure: PortError | undefined
  readonly asked: (readonly [what: string, maxAgeMs: number | undefined])[] = []

  async facts(_: string, maxAgeMs?: number): Promise<ManagedClusterFacts> {
    this.asked.push(['facts', maxAgeMs])
    if (this.failure) throw this.failure
    return this.known
  }

  async endpoint(_: string, maxAgeMs?: number): Promise<ClusterEndpoint> {
    this.asked.push(['endpoint', maxAgeMs])
    return this.at
  }
}

type Answer = number | Error
const REASONS: Readonly<Record<number, string>> = { 401: 'Unauthorized', 403: 'Forbidden' }

let clock: VirtualClock
let azure: Azure
/** Given in turn; 200 when there are none left. */
let answers: Answer[]
let requests: { readonly url: string; readonly token: string | undefined }[]
let tokens: number
let clusters: ClusterApis
beforeEach(() => {
  clock = virtualClock()
  azure = new Azure()
  answers = []
  requests = []
  tokens = 0
  clusters = open()
})

function open(emulated = false): ClusterApis {
  const getToken = async () => {
    tokens += 1
    return { token: `a-secret-${tokens}`, expiresOnTimestamp: clock.now() + 60 * MINUTE }
  }
  return kubernetesClusters({ http: scripted(), aks: { managed: azure, credential: { getToken }, emulated } }, clock)
}

function scripted(): HttpLibrary {
  return wrapHttpLibrary({
    async send(request: RequestContext) {
      requests.push({ url: request.getUrl(), token: request.getHeaders().Authorization })
      const answer = answers.shift() ?? 200
      if (answer instanceof Error) throw answer
      const text = answer === 200 ? '{"gitVersion":"v1.34.2"}' : `{"kind":"Status","reason":"${REASONS[answer]}"}`
      const body = { text: async () => text, binary: async () => Buffer.from(text), stream: () => null }
      return new ResponseContext(answer, { 'content-type': 'application/json' }, body)
    },
  })
}

const failure = (call: Promise<unknown>) =>
  call.then(
    () => 'no failure',
    (error: unknown) => error,
  )
const lost = (code: string) => Object.assign(new Error('lost'), { code })
/** A write: it is tried once. */
const write = (api: ClusterApi) =>
  api.remove({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'a' }, 'uid')
const sentTokens = () => requests.map(({ token }) => token)

describe('a connection to an AKS cluster', () => {
  it('goes to the endpoint that Azure names, with an Entra token', async () => {
    const api = await clusters.connect(east)
    expect(await api.version()).toBe('v1.34.2')
    expect(requests).toEqual([{ url: `${SERVER.replace(':443', '')}/version`, token: 'Bearer a-secret-1' }])
  })

  it('is opened once, however many want it, and asks Azure no more while it works', async () => {
    const [one, two] = await Promise.all([clusters.connect(east), clusters.connect(east)])
    expect(one).toBe(two)
    await write(one)
    await clock.pass(24 * 60 * MINUTE)
    expect(await clusters.connect(east)).toBe(one)
    expect(azure.asked).toEqual([
      ['facts', 30_000],
      ['endpoint', undefined],
    ])
  })

  it('has another token five minutes before the first one ends, and one token for all clusters', async () => {
    const api = await clusters.connect(east)
    const west = await clusters.connect({ name: 'west', spec: clusterSpec.parse({ resourceId: armIdOf('west') }) })
    await Promise.all([write(api), write(west)])
    await clock.pass(55 * MINUTE)
    await write(api)
    expect(sentTokens()).toEqual(['Bearer a-secret-1', 'Bearer a-secret-1', 'Bearer a-secret-2'])
  })

  it('sends what was answered 401 once more, with a new token', async () => {
    answers = [401]
    await write(await clusters.connect(east))
    expect(sentTokens()).toEqual(['Bearer a-secret-1', 'Bearer a-secret-2'])
  })

  it('gives up at the second 401, without a word of the token, and asks Azure before the next', async () => {
    answers = [401, 401]
    const api = await clusters.connect(east)
    const failed = await failure(write(api))
    expect(failed).toMatchObject({ name: 'PortError', kind: 'denied', reason: 'Unauthorized' })
    expect(JSON.stringify([failed, String(failed), String((failed as Error).cause)])).not.toContain('secret')
    expect(requests).toHaveLength(2)
    await clusters.connect(east)
    expect(azure.asked.slice(2)).toEqual([
      ['facts', 30_000],
      ['endpoint', 30_000],
    ])
  })
})

describe('a cluster is refused', () => {
  it.each([
    [
      'without Entra ID',
      { entra: { enabled: false, azureRbac: false, localAccountsDisabled: false } },
      'denied',
      'EntraRequired',
    ],
    ['while it is stopped', { powerState: 'Stopped' as const }, 'unavailable', 'ClusterStopped'],
  ])('%s', async (_, change, kind, reason) => {
    azure.known = someFacts(change)
    expect(await failure(clusters.connect(east))).toMatchObject({ name: 'PortError', kind, reason })
    expect([requests, tokens]).toEqual([[], 0])
    azure.known = someFacts()
    await write(await clusters.connect(east))
  })

  it.each([
    ['by plain HTTP', 'http://east-x1.hcp.westeurope.azmk8s.io', false, 'PlainHttp'],
    ['by plain HTTP on loopback', 'http://127.0.0.1:8080', false, 'PlainHttp'],
    ['at a server that is not of AKS', 'https://evil.example.com', false, 'ForeignHost'],
    ['at a server that only looks like one', 'https://azmk8s.io.example.com', false, 'ForeignHost'],
    ['by plain HTTP elsewhere, though Azure is emulated', 'http://10.0.0.1', true, 'PlainHttp'],
  ])('%s', async (_, server, emulated, reason) => {
    azure.at = { server, caData: 'QQ==' }
    expect(await failure(open(emulated).connect(east))).toMatchObject({ name: 'PortError', reason })
    expect([requests, tokens]).toEqual([[], 0])
  })

  it('unless it is on loopback and Azure is emulated', async () => {
    azure.at = { server: 'http://127.0.0.1:8080/kubernetes/east', caData: 'QQ==' }
    expect(await (await open(true).connect(east)).version()).toBe('v1.34.2')
    expect(requests[0]?.url).toBe('http://127.0.0.1:8080/kubernetes/east/version')
  })

  it.each([
    ['throttled', 'ArmThrottled', 'unavailable'],
    ['not-found', 'ClusterGone', 'unavailable'],
    ['unavailable', 'ArmUnavailable', 'unavailable'],
    ['denied', 'ArmDenied', 'denied'],
  ] as const)('while Azure does not tell (%s), as out of reach, with Azure’s reason', async (told, reason, kind) => {
    azure.failure = new PortError(told, 'Azure', 'no', { reason, retryAfterMs: 5000 })
    expect(await failure(clusters.connect(east))).toMatchObject({ kind, reason, retryAfterMs: 5000 })
    azure.failure = undefined
    await write(await clusters.connect(east))
  })
})

describe('a name that cannot be looked up', () => {
  it('of a private cluster says what is to be done', async () => {
    azure.known = someFacts({ isPrivate: true })
    answers = [lost('ENOTFOUND')]
    const failed = await failure(write(await clusters.connect(east)))
    expect(failed).toMatchObject({ kind: 'unavailable', reason: 'PrivateNameLookup', system: 'Kubernetes east' })
    expect((failed as Error).message).toMatch(/east-x1\.hcp\.westeurope\.azmk8s\.io.*virtual network.*private DNS zone/)
  })

  it('of another cluster is what it is', async () => {
    answers = [lost('ENOTFOUND')]
    expect(await failure(write(await clusters.connect(east)))).toMatchObject({ reason: 'NameLookup' })
  })
})

describe('after a failure', () => {
  it.each(['ENOTFOUND', 'CERT_HAS_EXPIRED', 'ECONNREFUSED', 'EHOSTUNREACH'])(
    'that another endpoint may explain (%s), the next connect finds it',
    async (code) => {
      const before = await clusters.connect(east)
      answers = [lost(code)]
      await failure(write(before))
      azure.at = { server: 'https://east-x2.hcp.westeurope.azmk8s.io', caData: 'Qg==' }
      const after = await clusters.connect(east)
      expect(after).not.toBe(before)
      await write(after)
      expect(requests.at(-1)?.url).toContain('east-x2')
    },
  )

  it('the connection stays, with what it found out, when the endpoint is the same', async () => {
    const before = await clusters.connect(east)
    answers = [lost('ENOTFOUND')]
    await failure(write(before))
    expect(await clusters.connect(east)).toBe(before)
    await clusters.connect(east)
    expect(azure.asked).toHaveLength(4)
  })

  it('that says nothing of the endpoint, Azure is not asked', async () => {
    const api = await clusters.connect(east)
    answers = [lost('ECONNRESET'), 503, 403]
    for (let count = 0; count < 3; count += 1) await failure(write(api))
    await clusters.connect(east)
    expect(azure.asked).toHaveLength(2)
  })

  it('a cluster that was stopped meanwhile says so', async () => {
    answers = [lost('ENOTFOUND')]
    await failure(write(await clusters.connect(east)))
    azure.known = someFacts({ powerState: 'Stopped' })
    expect(await failure(clusters.connect(east))).toMatchObject({ reason: 'ClusterStopped' })
  })

  it('the way that is there is kept while Azure does not answer', async () => {
    const before = await clusters.connect(east)
    answers = [lost('ENOTFOUND')]
    await failure(write(before))
    azure.failure = new PortError('unavailable', 'Azure', 'no answer', { reason: 'ArmUnavailable' })
    expect(await clusters.connect(east)).toBe(before)
    await write(before)
    azure.failure = new PortError('not-found', 'Azure', 'gone', { reason: 'ClusterGone' })
    expect(await failure(clusters.connect(east))).toMatchObject({ reason: 'ClusterGone' })
  })
})
