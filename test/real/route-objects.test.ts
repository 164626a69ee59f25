import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RenderInput } from '../../src/mesh/provider.ts'
import { requireProvider } from '../../src/mesh/registry.ts'
import type { ProviderName } from '../../src/model/cluster.ts'
import type { KubeObject } from '../../src/model/kube.ts'
import { serviceSpec } from '../../src/model/service.ts'
import { changesTo } from '../../src/reconcile/content.ts'
import { anyInput } from '../unit/mesh/istio/specs.ts'
import { type ApiServer, startApiServer } from './parts/api-server.ts'
import { describeReal } from './parts/describe-real.ts'
import { scratchFolder } from './parts/scratch.ts'

const CRDS = ['gateway-api-1.2', 'gateway-api-1.5', 'linkerd'] as const
const fileOf = (name: (typeof CRDS)[number]) => new URL(`./crds/${name}.yaml`, import.meta.url).pathname

/** Fields that a service asks for, one case a line; what a provider refuses of them is left out. */
const CASES: readonly [string, Record<string, unknown>][] = [
  ['nothing', {}],
  ['a port of gRPC', { ports: [{ name: 'rpc', port: 90, protocol: 'grpc', targetPort: 'rpc' }] }],
  [
    'calls of gRPC',
    {
      ports: [{ name: 'rpc', port: 90, protocol: 'grpc' }],
      traffic: { routes: [{ name: 'a', match: [{ path: { exact: '/a.B/C' } }, { path: { prefix: '/a.B' } }] }] },
    },
  ],
  ['a timeout', { traffic: { timeout: '1500ms' } }],
  ['retries', { traffic: { retries: { attempts: 2, perTryTimeout: '1s', on: ['5xx'], nonIdempotent: true } } }],
  ['outliers', { traffic: { outliers: { consecutiveErrors: 5 } } }],
  [
    'every kind of match',
    {
      traffic: {
        routes: [
          {
            name: 'a',
            match: [
              {
                path: { exact: '/a' },
                methods: ['GET', 'PUT'],
                headers: { 'x-a': { prefix: 'b' }, 'x-b': { regex: 'c+' } },
                cookie: { name: 'd' },
                query: { e: { exact: 'f' } },
              },
            ],
            timeout: '90s',
          },
        ],
      },
    },
  ],
  [
    'a redirect',
    {
      traffic: {
        routes: [
          {
            name: 'a',
            match: [{ path: { exact: '/a' } }],
            redirect: { scheme: 'https', host: 'b.example.com', port: 8443, path: '/c', status: 301 },
          },
        ],
      },
    },
  ],
  [
    'a further redirect',
    { traffic: { routes: [{ name: 'a', match: [{ path: { exact: '/a' } }], redirect: { path: '/c', status: 308 } }] } },
  ],
  [
    'rewrites',
    {
      traffic: {
        routes: [
          {
            name: 'a',
            match: [{ path: { prefix: '/a' } }, { path: { prefix: '/b' } }],
            rewrite: { path: '/', host: 'c.example.com' },
          },
        ],
      },
    },
  ],
  ['copies', { traffic: { mirror: { version: 'v2', percent: 5 } } }],
  ['strict mTLS', { security: { mtls: 'strict' } }],
  [
    'authorization and a limit',
    {
      security: {
        mtls: 'permissive',
        authorization: {
          allow: [
            { name: 'a', serviceAccounts: ['pay/till'] },
            { name: 'b', namespaces: ['ops'], ports: ['http'] },
            { name: 'c' },
          ],
        },
      },
      traffic: { rateLimit: { requests: 50, per: 'second' } },
    },
  ],
  ['nobody let in', { security: { authorization: { allow: [] } } }],
]

function inputFor(provider: ProviderName, bundle: string, change: Record<string, unknown>): RenderInput {
  const spec = serviceSpec.parse({
    team: 'shop',
    ports: [{ name: 'http', port: 80, protocol: 'http', targetPort: 8080 }],
    versions: { v1: { labels: { version: 'v1' } }, v2: { labels: { version: 'v2' } } },
    initialVersion: 'v1',
    clusters: ['east'],
    workload: { labels: { app: 'web' } },
    ...(provider === 'gateway-api'
      ? { exposure: [{ host: 'web.example.com' }, { host: '*.example.com', path: '/shop' }] }
      : {}),
    ...change,
  })
  return {
    namespace: 'shop',
    name: 'web',
    spec,
    policy: spec,
    mesh: { provider, gatewayApi: { bundle, channel: 'standard' } },
    gateways: { external: { namespace: 'gateways', name: 'public', listener: 'http' } },
    renderRevision: 7,
    weights: { v1: 90, v2: 10 },
    candidate: { version: 'v2', match: [{ headers: { 'x-preview': { exact: 'yes' } } }] },
  }
}

const PLURALS: Readonly<Record<string, string>> = {
  HTTPLocalRateLimitPolicy: 'httplocalratelimitpolicies',
  AuthorizationPolicy: 'authorizationpolicies',
}

function pathOf({ apiVersion, kind, metadata }: KubeObject): string {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
  return `${root}/namespaces/${metadata.namespace}/${PLURALS[kind] ?? `${kind.toLowerCase()}s`}/${metadata.name}`
}

/** What the server made of an object that it applied strictly, twice: nothing is refused, changed, or written again. */
async function applied(api: ApiServer, object: KubeObject): Promise<void> {
  const path = `${pathOf(object)}?fieldManager=meshwright&force=true&fieldValidation=Strict`
  const send = () => api.admin.call('PATCH', path, object, 'application/apply-patch+yaml')
  const [first, second] = [await send(), await send()]
  expect(first, JSON.stringify(first.body)).toMatchObject({ status: expect.toSatisfy((status) => status < 300) })
  const [kept, again] = [first.body, second.body] as [KubeObject, KubeObject]
  expect(changesTo(kept, object)).toEqual([])
  expect(again.metadata.resourceVersion).toBe(kept.metadata.resourceVersion)
}

describe.each([
  ['gateway-api', 'gateway-api-1.2', 'v1.2.1'],
  ['gateway-api', 'gateway-api-1.5', 'v1.5.1'],
  ['linkerd', 'gateway-api-1.2', 'v1.2.1'],
] as const)('%s with the CRDs %s', (provider, crds, bundle) => {
  describeReal('what is rendered', 'api', (parts) => {
    const dir = scratchFolder()
    let api: ApiServer
    const seen = new Set<string>()
    const refused: string[] = []

    beforeAll(async () => {
      api = await startApiServer({ parts, dir, crds: [fileOf(crds), fileOf('linkerd')] })
      await api.admin.apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } }])
    })
    afterAll(() => api?.stop())

    async function check(input: RenderInput): Promise<boolean> {
      const found = requireProvider(provider)
      if (!found.ok) throw new Error(found.failure.detail)
      const result = found.value.render(input)
      if (!result.ok) return false
      for (const { object } of result.steps) {
        seen.add(object.kind)
        await applied(api, object)
      }
      return true
    }

    it.each(CASES)('for %s is taken strictly, as it is', async (name, change) => {
      if (!(await check(inputFor(provider, bundle, change)))) refused.push(name)
    })

    it('is of every kind that the provider writes, and refused only where it must be', () => {
      const all =
        provider === 'linkerd'
          ? [
              'AuthorizationPolicy',
              'HTTPLocalRateLimitPolicy',
              'MeshTLSAuthentication',
              'NetworkAuthentication',
              'Server',
            ]
          : []
      expect([...seen].sort()).toEqual(['GRPCRoute', 'HTTPRoute', 'Service', ...all].sort())
      const outside = ['retries', 'outliers', 'strict mTLS', 'authorization and a limit', 'nobody let in']
      const old = bundle === 'v1.2.1' ? ['a further redirect', 'copies'] : []
      expect(refused).toEqual(
        provider === 'linkerd'
          ? ['a further redirect', 'rewrites', 'copies']
          : [...old, ...outside].toSorted((a, b) => order(a) - order(b)),
      )
    })

    it('for any service is taken strictly, as it is', async () => {
      const inputs = fc.sample(anyInput, { numRuns: 30, seed: 7 })
      let taken = 0
      for (const { spec, weights, candidate } of inputs) {
        const { hosts: _, ...rest } = spec
        const more = candidate?.match ? { candidate: { version: candidate.version, match: candidate.match } } : {}
        const base = inputFor(provider, bundle, {
          ...rest,
          traffic: { timeout: spec.traffic?.timeout },
          workload: { labels: { app: 'web' } },
        })
        const { candidate: __, ...plain } = base
        if (await check({ ...plain, weights, ...more })) taken += 1
      }
      expect(taken).toBeGreaterThan(5)
    })
  })
})

function order(name: string): number {
  return CASES.findIndex(([one]) => one === name)
}
