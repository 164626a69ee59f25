import fc from 'fast-check'
import { istio } from '../../../../src/mesh/istio/istio.ts'
import type { RenderInput } from '../../../../src/mesh/provider.ts'
import { fitDraft } from '../../../../src/mesh/read/fit-draft.ts'
import { serviceSpec } from '../../../../src/model/service.ts'
import { inputOf } from './specs.ts'

const some = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 2 })
const percent = fc.integer({ min: 1, max: 100 })
const duration = fc.constantFrom('1s', '250ms', '90s')
const version = fc.constantFrom('v1', 'v2')
const names = fc.uniqueArray(fc.constantFrom('http', 'api', 'db'), { minLength: 1, maxLength: 2 })
const methods = fc.uniqueArray(fc.constantFrom('GET', 'POST', 'PATCH', 'DELETE', 'CONNECT'), { minLength: 1 })
const text = fc.oneof(
  fc.record({ exact: fc.constant('ab') }),
  fc.record({ prefix: fc.constant('a') }),
  fc.record({ regex: fc.constant('a+') }),
)
const path = fc.oneof(
  fc.record({ exact: fc.constantFrom('/a', '/a/b') }),
  fc.record({ prefix: fc.constantFrom('/', '/a', '/a/') }),
  fc.record({ regex: fc.constant('/[ab]') }),
)
const match = fc.record(
  {
    path,
    methods,
    headers: fc.dictionary(fc.constantFrom('x-a', 'x-b'), text, { minKeys: 1 }),
    cookie: fc.record({ name: fc.constantFrom('c', 'd'), value: fc.constantFrom('1', '2') }),
    query: fc.dictionary(fc.constantFrom('q', 'r'), text, { minKeys: 1 }),
  },
  { requiredKeys: [] },
)
const retries = fc.record(
  {
    attempts: fc.nat(3),
    perTryTimeout: duration,
    on: fc.uniqueArray(fc.constantFrom('connect-failure', '5xx', 'reset', 'grpc-unavailable'), { minLength: 1 }),
    nonIdempotent: fc.boolean(),
  },
  { requiredKeys: ['attempts'] },
)
const fault = fc.record(
  {
    delay: fc.record({ for: duration, percent }),
    abort: fc.oneof(
      fc.record({ percent, status: fc.constant(503) }),
      fc.record({ percent, grpcStatus: fc.constant(14) }),
    ),
  },
  { requiredKeys: [] },
)
const mirror = fc.record({ version, percent })
const route = fc.record(
  {
    name: fc.constantFrom('a', 'b', 'candidate', 'once'),
    match: fc.array(match, { minLength: 1, maxLength: 3 }),
    ports: names,
    redirect: fc.record({ path: fc.constant('/new') }),
    rewrite: fc.record({ path: fc.constantFrom('/', '/x', '/x/'), host: fc.constant('b.example.com') }),
    timeout: duration,
    retries,
    fault,
    mirror,
  },
  { requiredKeys: ['name', 'match'] },
)
const traffic = fc.record(
  {
    timeout: duration,
    retries,
    routes: fc.array(route, { maxLength: 3 }),
    fault,
    mirror,
    connections: fc.record(
      { maxConnections: percent, connectTimeout: duration, maxRequests: percent, idleTimeout: fc.constant('1m') },
      { requiredKeys: [] },
    ),
    outliers: fc.record(
      { consecutiveErrors: percent, interval: fc.constant('5s') },
      { requiredKeys: ['consecutiveErrors'] },
    ),
    loadBalancing: fc.constantFrom('round-robin', 'least-request', 'random'),
    affinity: fc.oneof(fc.record({ header: fc.constant('x-user') }), fc.record({ sourceIp: fc.constant(true) })),
    locality: fc.record({ prefer: fc.constantFrom('zone', 'region') }),
    rateLimit: fc.record({ requests: percent, per: fc.constant('second') }),
  },
  { requiredKeys: [] },
)
const rule = fc.record(
  {
    name: fc.constantFrom('a', 'b', 'c'),
    serviceAccounts: fc.constant(['shop/cart']),
    namespaces: fc.constant(['shop']),
    claims: fc.constant({ roles: ['Read'] }),
    methods,
    paths: fc.constant(['/a', '/b/*']),
    ports: names,
  },
  { requiredKeys: ['name'] },
)
const issuer = fc.oneof(
  fc.record({ entra: fc.constant({ tenant: '9c5f3d2a-1b4e-4c6d-8e7f-0a1b2c3d4e5f', audiences: ['web'] }) }),
  fc.constant({ issuer: 'https://id.example.com', jwksUri: 'https://id.example.com/keys', audiences: ['web'] }),
  fc.constant({ issuer: 'https://id.example.com', jwksUri: 'https://id.internal/keys', audiences: ['web'] }),
)
const security = fc.record(
  {
    mtls: fc.constantFrom('strict', 'permissive', 'disabled'),
    authentication: fc.record(
      { issuers: fc.array(issuer, { minLength: 1, maxLength: 2 }), required: fc.boolean() },
      { requiredKeys: ['issuers'] },
    ),
    authorization: fc.record(
      { allow: fc.array(rule, { maxLength: 2 }), deny: fc.array(rule, { maxLength: 2 }) },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: [] },
)
const egress = fc.record(
  {
    unlisted: fc.constantFrom('allow', 'deny'),
    hosts: fc.array(
      fc.record(
        {
          host: fc.constantFrom('pay.example.com', '*.example.com', 'db.example.com'),
          ports: fc.array(
            fc.record({ port: fc.constantFrom(80, 443), protocol: fc.constantFrom('http', 'https', 'tcp', 'grpc') }),
            { minLength: 1, maxLength: 2 },
          ),
          originateTls: fc.boolean(),
        },
        { requiredKeys: ['host', 'ports'] },
      ),
      { maxLength: 2 },
    ),
  },
  { requiredKeys: [] },
)
const telemetry = fc.record(
  {
    accessLog: fc.constantFrom('off', 'errors', 'all'),
    tracing: fc.record({ samplePercent: fc.constantFrom(0, 12.5) }),
  },
  { requiredKeys: [] },
)
const protocols = fc.uniqueArray(fc.constantFrom('http', 'grpc', 'tcp'), { minLength: 1 })
const PORTS = { http: ['http', 80, 8080], grpc: ['api', 9000, 9000], tcp: ['db', 5432, 5432] } as const

/** Bodies of services with any policy, which the schema may yet refuse. */
export const parts = fc
  .record({
    protocols,
    targets: fc.boolean(),
    workload: some(fc.constant({ labels: { app: 'web' } })),
    traffic: some(traffic),
    security: some(security),
    egress: some(egress),
    telemetry: some(telemetry),
  })
  .map(({ protocols, targets, ...parts }) => {
    const ports = protocols.map((protocol) => {
      const [name, port, targetPort] = PORTS[protocol as keyof typeof PORTS]
      return { name, port, protocol, ...(targets ? { targetPort } : {}) }
    })
    const versions = { v1: { labels: { version: 'v1' } }, v2: { labels: { version: 'v2' } } }
    const spec = { team: 'shop', ports, versions, initialVersion: 'v1', clusters: ['east'] }
    return { ...JSON.parse(JSON.stringify(parts)), ...spec }
  })

const rollout = fc.record({
  share: fc.nat(100),
  candidate: some(
    fc.record(
      {
        version: fc.constant('v2'),
        match: fc.array(fc.record({ path }), { minLength: 1, maxLength: 2 }),
        mirror: percent,
        affinity: fc.constant({ cookie: 'c', value: 'k3', maxAgeMs: 60_000 }),
      },
      { requiredKeys: ['version'] },
    ),
  ),
})

/** Services with any policy that the schema takes, and any split of their weights. Most of those with much in them are refused. */
export const anyPolicy: fc.Arbitrary<RenderInput> = fc
  .tuple(parts, rollout)
  .map(([draft, { share, candidate }]) => {
    const parsed = serviceSpec.safeParse(draft)
    if (!parsed.success) return undefined
    const asked = candidate && Object.keys(candidate).length > 1 ? { candidate: { ...candidate } } : {}
    return inputOf({ spec: parsed.data, weights: { v1: 100 - share, v2: share }, ...asked })
  })
  .filter((input) => input !== undefined)

/** Services with as much of any policy as Istio renders, and any split of their weights. */
export const renderablePolicy: fc.Arbitrary<RenderInput> = fc
  .tuple(parts, fc.nat(100))
  .map(([draft, share]) => {
    const weights = { v1: 100 - share, v2: share }
    const fitted = fitDraft(draft, (spec) => istio.render(inputOf({ spec, weights })))
    return fitted.ok ? inputOf({ spec: fitted.value.spec, weights }) : undefined
  })
  .filter((input) => input !== undefined)
