import type { RenderInput } from '../../../../src/mesh/provider.ts'
import { inputOf, specOf } from './specs.ts'

const issuer = { issuer: 'https://id.example.com', jwksUri: 'https://id.example.com/keys', audiences: ['web'] }
const entra = { entra: { tenant: '9c5f3d2a-1b4e-4c6d-8e7f-0a1b2c3d4e5f', audiences: ['api://web'] } }
const retries = { attempts: 2, perTryTimeout: '1s', on: ['5xx', 'connect-failure'] }
const match = {
  path: { prefix: '/api' },
  methods: ['GET', 'POST'],
  headers: { 'x-a': { exact: '1' }, 'x-b': { prefix: 'b' }, 'x-c': { regex: 'c+' } },
  cookie: { name: 'beta' },
  query: { q: { exact: '1' }, r: { prefix: 'r' }, s: { regex: 's' } },
}

/** A service with every field of the policy that Istio takes, as far as they go together, in the midst of a rollout. */
export function everything(): RenderInput {
  const spec = specOf({
    ports: [
      { name: 'http', port: 80, protocol: 'http', targetPort: 8080 },
      { name: 'api', port: 9000, protocol: 'grpc', targetPort: 9000 },
      { name: 'db', port: 5432, protocol: 'tcp', targetPort: 5432 },
    ],
    hosts: ['web.example.com'],
    workload: { labels: { app: 'web' } },
    traffic: {
      timeout: '5s',
      retries,
      routes: [
        { name: 'old', match: [{ path: { exact: '/old' } }], redirect: { scheme: 'https', path: '/new', status: 308 } },
        {
          name: 'api',
          match: [match],
          ports: ['http'],
          rewrite: { path: '/v2', host: 'in.example.com' },
          timeout: '1s',
          retries: { attempts: 3 },
          mirror: { version: 'v2', percent: 5 },
        },
      ],
      mirror: { version: 'v2', percent: 10 },
      connections: {
        maxConnections: 100,
        connectTimeout: '250ms',
        maxPendingRequests: 10,
        maxRequests: 100,
        maxRequestsPerConnection: 50,
        idleTimeout: '1m',
      },
      outliers: { consecutiveErrors: 5, interval: '10s', ejectionTime: '30s', maxEjectionPercent: 50 },
      affinity: { cookie: { name: 'id', ttl: '1h', path: '/' } },
      locality: { prefer: 'zone' },
      rateLimit: { requests: 50, per: 'second', burst: 80 },
    },
    security: {
      mtls: 'strict',
      authentication: { issuers: [entra, { ...issuer, forwardToken: true }] },
      authorization: {
        allow: [
          { name: 'cart', serviceAccounts: ['shop/cart'], methods: ['GET'], paths: ['/a', '/b/*'], ports: ['http'] },
          { name: 'readers', namespaces: ['shop'], claims: { roles: ['Read'] } },
        ],
        deny: [{ name: 'admin', paths: ['/admin*'] }],
      },
    },
    egress: {
      unlisted: 'deny',
      hosts: [
        { host: 'pay.example.com', ports: [{ port: 80, protocol: 'http' }], originateTls: true },
        { host: '*.example.org', ports: [{ port: 443, protocol: 'tls' }] },
      ],
    },
    telemetry: { accessLog: 'errors', tracing: { samplePercent: 2.5 } },
  })
  const affinity = { cookie: 'meshwright-version', value: 'k3', maxAgeMs: 60_000 }
  const candidate = { version: 'v2', match: [{ headers: { 'x-preview': { exact: 'yes' } } }], mirror: 5, affinity }
  return inputOf({ spec, weights: { v1: 90, v2: 10 }, candidate })
}
