import type { PolicyRows } from './policy-rows.ts'

const HOST = 'web.shop.svc.cluster.local'
const route = (match: object, expected: object) => ({
  change: { traffic: { routes: [{ name: 'api', match: [match] }] } },
  gives: {
    VirtualService: { http: [{ name: 'route.api', match: [expected], route: [{}] }, { route: [{}] }] },
  },
})
const asked = (name: string, wanted: unknown, expected: object) => ({
  change: { traffic: { routes: [{ name: 'api', match: [{ path: { exact: '/a' } }], [name]: wanted }] } },
  gives: { VirtualService: { http: [{ name: 'route.api', ...expected }, { route: [{}] }] } },
})
const rewrite = (path: object | undefined, to: object, expected: object) => {
  const match = path ? [{ path }] : [{ methods: ['GET'] }]
  return {
    change: { traffic: { routes: [{ name: 'api', match, rewrite: to }] } },
    gives: { VirtualService: { http: [{ rewrite: expected, route: [{}] }, {}] } },
  }
}
const rule = (traffic: object, trafficPolicy: object) => ({
  change: { traffic },
  gives: { DestinationRule: { host: HOST, trafficPolicy } },
})
const pool = (connections: object, connectionPool: object) => rule({ connections }, { connectionPool })
const outlier = (more: object, expected: object) =>
  rule({ outliers: { consecutiveErrors: 5, ...more } }, { outlierDetection: { consecutive5xxErrors: 5, ...expected } })
const hash = (affinity: object, consistentHash: object) => rule({ affinity }, { loadBalancer: { consistentHash } })
const tcp = [{ name: 'db', port: 5432, protocol: 'tcp' }]

/** What Istio gets for each field of the traffic policy. */
export const TRAFFIC_ROWS: PolicyRows = {
  'ports.tcp': [
    {
      change: { ports: tcp },
      gives: {
        VirtualService: {
          hosts: [HOST],
          tcp: [{ route: [{ destination: { host: HOST, subset: 'v1' }, weight: 100 }] }],
        },
      },
    },
    {
      change: { ports: [{ name: 'http', port: 80, protocol: 'http' }, ...tcp] },
      gives: {
        VirtualService: {
          http: [{ name: 'http', match: [{ port: 80 }] }],
          tcp: [{ match: [{ port: 5432 }], route: [{ destination: { port: { number: 5432 } } }] }],
        },
      },
    },
    { change: { ports: tcp, traffic: { timeout: '1s' } }, refused: '/traffic/timeout' },
    {
      change: { ports: tcp, traffic: { connections: { maxRequests: 5 } } },
      refused: '/traffic/connections/maxRequests',
    },
    { change: { ports: tcp, traffic: { affinity: { header: 'x-user' } } }, refused: '/traffic/affinity' },
  ],
  'traffic.retries.on': [
    {
      change: { traffic: { retries: { attempts: 2, on: ['5xx', 'connect-failure'] } } },
      gives: {
        VirtualService: {
          http: [
            {
              name: 'once',
              match: [{ method: { regex: 'POST|PATCH|CONNECT' } }],
              retries: { attempts: 2, retryOn: 'connect-failure' },
            },
            { retries: { attempts: 2, retryOn: '5xx,connect-failure' } },
          ],
        },
      },
    },
    {
      change: { traffic: { retries: { attempts: 2, on: ['reset'] } } },
      gives: {
        VirtualService: { http: [{ name: 'once', retries: { attempts: 0 } }, { retries: { retryOn: 'reset' } }] },
      },
    },
    {
      change: { traffic: { retries: { attempts: 2, on: ['connect-failure', 'refused-stream'] } } },
      gives: { VirtualService: { http: [{ retries: { attempts: 2, retryOn: 'connect-failure,refused-stream' } }] } },
    },
    {
      change: {
        ports: [{ name: 'api', port: 9000, protocol: 'grpc' }],
        traffic: { retries: { attempts: 1, on: ['grpc-unavailable', 'grpc-resource-exhausted'] } },
      },
      gives: { VirtualService: { http: [{ retries: { attempts: 1, retryOn: 'unavailable,resource-exhausted' } }] } },
    },
  ],
  'traffic.retries.nonIdempotent': [
    {
      change: { traffic: { retries: { attempts: 2, nonIdempotent: true } } },
      gives: {
        VirtualService: {
          http: [{ retries: { attempts: 2, retryOn: 'connect-failure,refused-stream,gateway-error' } }],
        },
      },
    },
  ],
  'traffic.routes': [
    asked('ports', ['http'], { match: [{ uri: { exact: '/a' } }] }),
    {
      change: {
        ports: [{ name: 'http', port: 80, protocol: 'http' }, ...tcp],
        traffic: { routes: [{ name: 'api', match: [{ path: { exact: '/a' } }], ports: ['db'] }] },
      },
      refused: '/traffic/routes/0/ports/0',
    },
  ],
  'traffic.routes.match.path.exact': [route({ path: { exact: '/a' } }, { uri: { exact: '/a' } })],
  'traffic.routes.match.path.prefix': [
    {
      change: { traffic: { routes: [{ name: 'api', match: [{ path: { prefix: '/a' } }] }] } },
      gives: { VirtualService: { http: [{ match: [{ uri: { exact: '/a' } }, { uri: { prefix: '/a/' } }] }, {}] } },
    },
  ],
  'traffic.routes.match.path.regex': [route({ path: { regex: '/v[0-9]+' } }, { uri: { regex: '/v[0-9]+' } })],
  'traffic.routes.match.methods': [
    route({ methods: ['GET'] }, { method: { exact: 'GET' } }),
    route({ methods: ['GET', 'HEAD'] }, { method: { regex: 'GET|HEAD' } }),
  ],
  'traffic.routes.match.headers.exact': [
    route({ headers: { 'x-a': { exact: 'b' } } }, { headers: { 'x-a': { exact: 'b' } } }),
  ],
  'traffic.routes.match.headers.prefix': [
    route({ headers: { 'x-a': { prefix: 'b' } } }, { headers: { 'x-a': { prefix: 'b' } } }),
  ],
  'traffic.routes.match.headers.regex': [
    route({ headers: { 'x-a': { regex: 'b+' } } }, { headers: { 'x-a': { regex: 'b+' } } }),
  ],
  'traffic.routes.match.cookie': [
    route({ cookie: { name: 'beta', value: 'on' } }, { headers: { cookie: { regex: '(.*;\\s*)?beta=on(\\s*;.*)?' } } }),
  ],
  'traffic.routes.match.query.exact': [route({ query: { q: { exact: 'b' } } }, { queryParams: { q: { exact: 'b' } } })],
  'traffic.routes.match.query.prefix': [
    route({ query: { q: { prefix: 'b' } } }, { queryParams: { q: { prefix: 'b' } } }),
  ],
  'traffic.routes.match.query.regex': [
    route({ query: { q: { regex: 'b+' } } }, { queryParams: { q: { regex: 'b+' } } }),
  ],
  'traffic.routes.redirect': [
    {
      change: {
        traffic: {
          timeout: '5s',
          routes: [
            {
              name: 'old',
              match: [{ path: { prefix: '/old' } }],
              redirect: { scheme: 'https', host: 'new.example.com', port: 8443, path: '/new', status: 308 },
            },
          ],
        },
      },
      gives: {
        VirtualService: {
          http: [
            {
              name: 'route.old',
              redirect: {
                scheme: 'https',
                authority: 'new.example.com',
                port: 8443,
                uri: '/new',
                redirectCode: 308,
              },
            },
            { timeout: '5s', route: [{}] },
          ],
        },
      },
      lacks: ['http.0.route', 'http.0.timeout'],
    },
  ],
  'traffic.routes.rewrite.path': [
    rewrite({ prefix: '/a' }, { path: '/b/c' }, { uriRegexRewrite: { match: '^/a', rewrite: '/b/c' } }),
    rewrite({ prefix: '/a/' }, { path: '/' }, { uriRegexRewrite: { match: '^/a/?', rewrite: '/' } }),
    rewrite({ prefix: '/' }, { path: '/b/' }, { uriRegexRewrite: { match: '^/?', rewrite: '/b/' } }),
    rewrite({ prefix: '/a.b' }, { path: '/c' }, { uriRegexRewrite: { match: '^/a\\.b', rewrite: '/c' } }),
    rewrite({ exact: '/a' }, { path: '/b' }, { uriRegexRewrite: { match: '^/.*$', rewrite: '/b' } }),
    rewrite(undefined, { path: '/b' }, { uriRegexRewrite: { match: '^/.*$', rewrite: '/b' } }),
    {
      change: {
        traffic: {
          routes: [
            {
              name: 'api',
              match: [{ path: { prefix: '/a' } }, { path: { exact: '/c' } }, { path: { exact: '/d' } }],
              rewrite: { path: '/b' },
            },
          ],
        },
      },
      gives: {
        VirtualService: {
          http: [
            { name: 'route.api', match: [{ uri: { exact: '/a' } }, { uri: { prefix: '/a/' } }] },
            { name: 'route.api.2', match: [{ uri: { exact: '/c' } }, { uri: { exact: '/d' } }] },
            {},
          ],
        },
      },
    },
  ],
  'traffic.routes.rewrite.host': [
    rewrite({ exact: '/a' }, { host: 'in.example.com' }, { authority: 'in.example.com' }),
  ],
  'traffic.routes.timeout': [asked('timeout', '250ms', { timeout: '0.25s' })],
  'traffic.routes.retries': [
    {
      change: {
        traffic: {
          retries: { attempts: 0 },
          routes: [
            { name: 'api', match: [{ methods: ['GET', 'POST'] }, { methods: ['PATCH'] }], retries: { attempts: 3 } },
          ],
        },
      },
      gives: {
        VirtualService: {
          http: [
            {
              name: 'route.api.once',
              match: [{ method: { exact: 'POST' } }, { method: { exact: 'PATCH' } }],
              retries: { attempts: 3, retryOn: 'connect-failure,refused-stream' },
            },
            {
              name: 'route.api',
              match: [{ method: { regex: 'GET|POST' } }],
              retries: { attempts: 3, retryOn: 'connect-failure,refused-stream,gateway-error' },
            },
            { retries: { attempts: 0 } },
          ],
        },
      },
    },
  ],
  'traffic.routes.fault': [
    asked(
      'fault',
      { abort: { grpcStatus: 14, percent: 5 } },
      { fault: { abort: { grpcStatus: 'UNAVAILABLE', percentage: { value: 5 } } } },
    ),
    {
      change: {
        traffic: {
          timeout: '1s',
          routes: [
            {
              name: 'api',
              match: [{ path: { exact: '/a' } }],
              fault: { abort: { status: 503, percent: 5 } },
            },
          ],
        },
      },
      refused: '/traffic/routes/0/fault',
    },
  ],
  'traffic.routes.mirror': [
    asked(
      'mirror',
      { version: 'v2', percent: 5 },
      { mirrors: [{ destination: { host: HOST, subset: 'v2' }, percentage: { value: 5 } }] },
    ),
  ],
  'traffic.fault.delay': [
    {
      change: { traffic: { fault: { delay: { for: '2s', percent: 10 } } } },
      gives: { VirtualService: { http: [{ fault: { delay: { fixedDelay: '2s', percentage: { value: 10 } } } }] } },
    },
    {
      change: { traffic: { retries: { attempts: 1 }, fault: { delay: { for: '2s', percent: 10 } } } },
      refused: '/traffic/fault',
    },
  ],
  'traffic.fault.abort': [
    {
      change: { traffic: { retries: { attempts: 0 }, fault: { abort: { status: 503, percent: 10 } } } },
      gives: {
        VirtualService: {
          http: [{ retries: { attempts: 0 }, fault: { abort: { httpStatus: 503, percentage: { value: 10 } } } }],
        },
      },
    },
  ],
  'traffic.mirror': [
    {
      change: { traffic: { mirror: { version: 'v2', percent: 10 } } },
      gives: {
        VirtualService: {
          http: [{ mirrors: [{ destination: { host: HOST, subset: 'v2' }, percentage: { value: 10 } }], route: [{}] }],
        },
      },
    },
  ],
  'traffic.connections.maxConnections': [pool({ maxConnections: 9 }, { tcp: { maxConnections: 9 } })],
  'traffic.connections.connectTimeout': [pool({ connectTimeout: '500ms' }, { tcp: { connectTimeout: '0.5s' } })],
  'traffic.connections.maxPendingRequests': [pool({ maxPendingRequests: 9 }, { http: { http1MaxPendingRequests: 9 } })],
  'traffic.connections.maxRequests': [pool({ maxRequests: 9 }, { http: { http2MaxRequests: 9 } })],
  'traffic.connections.maxRequestsPerConnection': [
    pool({ maxRequestsPerConnection: 9 }, { http: { maxRequestsPerConnection: 9 } }),
  ],
  'traffic.connections.idleTimeout': [
    pool({ idleTimeout: '1m' }, { http: { idleTimeout: '60s' } }),
    {
      change: { ports: tcp, traffic: { connections: { idleTimeout: '1m' } } },
      gives: { DestinationRule: { trafficPolicy: { connectionPool: { tcp: { idleTimeout: '60s' } } } } },
      lacks: ['trafficPolicy.connectionPool.http'],
    },
  ],
  // Envoy's own 10 % leaves out none of nine.
  'traffic.outliers.consecutiveErrors': [outlier({}, { maxEjectionPercent: 50 })],
  'traffic.outliers.interval': [outlier({ interval: '5s' }, { interval: '5s' })],
  'traffic.outliers.ejectionTime': [outlier({ ejectionTime: '1m' }, { baseEjectionTime: '60s' })],
  'traffic.outliers.maxEjectionPercent': [outlier({ maxEjectionPercent: 20 }, { maxEjectionPercent: 20 })],
  'traffic.loadBalancing.round-robin': [
    rule({ loadBalancing: 'round-robin' }, { loadBalancer: { simple: 'ROUND_ROBIN' } }),
  ],
  'traffic.loadBalancing.least-request': [
    rule({ loadBalancing: 'least-request' }, { loadBalancer: { simple: 'LEAST_REQUEST' } }),
  ],
  'traffic.loadBalancing.random': [rule({ loadBalancing: 'random' }, { loadBalancer: { simple: 'RANDOM' } })],
  'traffic.affinity.header': [hash({ header: 'x-user' }, { httpHeaderName: 'x-user' })],
  'traffic.affinity.cookie': [
    hash({ cookie: { name: 'id' } }, { httpCookie: { name: 'id', ttl: '0s' } }),
    hash({ cookie: { name: 'id', ttl: '1h', path: '/a' } }, { httpCookie: { name: 'id', ttl: '3600s', path: '/a' } }),
  ],
  'traffic.affinity.query': [hash({ query: 'user' }, { httpQueryParameterName: 'user' })],
  'traffic.affinity.sourceIp': [hash({ sourceIp: true }, { useSourceIp: true })],
  'traffic.locality': [
    rule(
      { outliers: { consecutiveErrors: 5 }, locality: { prefer: 'zone' } },
      {
        outlierDetection: { consecutive5xxErrors: 5 },
        loadBalancer: {
          localityLbSetting: {
            enabled: true,
            failoverPriority: ['topology.kubernetes.io/region', 'topology.kubernetes.io/zone'],
          },
        },
      },
    ),
    rule(
      { outliers: { consecutiveErrors: 5 }, loadBalancing: 'random', locality: { prefer: 'region' } },
      {
        loadBalancer: {
          simple: 'RANDOM',
          localityLbSetting: { failoverPriority: ['topology.kubernetes.io/region'] },
        },
      },
    ),
  ],
}
