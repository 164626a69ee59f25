import type { KubeObject } from '../../../../src/model/kube.ts'
import {
  authorizationPolicy,
  destinationRule,
  PODS,
  peerAuthentication,
  requestAuthentication,
  SELECTOR,
  SUBSETS,
  sidecar,
  telemetry,
  to,
  virtualService,
} from './istio-objects.ts'

export const rule = destinationRule({ host: 'reviews', subsets: SUBSETS })
export const route = (...http: readonly object[]) => virtualService({ hosts: ['reviews'], http })
const ISSUER = { issuer: 'https://id.example.com', jwksUri: 'https://id.example.com/keys', audiences: ['web'] }
export const tokens = requestAuthentication({ ...PODS, jwtRules: [ISSUER] })
export const allow = (...rules: readonly object[]) => authorizationPolicy({ ...PODS, action: 'ALLOW', rules })

/** Objects that are read whole, and what of the service they come to. */
export const CARRIED: readonly { it: string; objects: readonly KubeObject[]; spec: object }[] = [
  {
    it: 'a split by subsets',
    objects: [rule, route({ route: [to('v1', 75), to('v3', 25)] })],
    spec: {
      mode: 'observe',
      ports: [{ name: 'http', port: 9080, protocol: 'http', targetPort: 9080 }],
      versions: { v1: { labels: { version: 'v1' } }, v2: {}, v3: {} },
      initialVersion: 'v1',
      workload: { labels: SELECTOR },
      traffic: { weights: { v1: 75, v3: 25 } },
    },
  },
  {
    it: 'weights that are parts of another sum than 100',
    objects: [rule, route({ route: [to('v1', 3), to('v2', 1)] })],
    spec: { traffic: { weights: { v1: 75, v2: 25 } } },
  },
  {
    it: 'one subset for all',
    objects: [rule, route({ route: [to('v2')] })],
    spec: { initialVersion: 'v2' },
  },
  {
    it: 'a destination without a subset: a version of all Pods',
    objects: [route({ route: [to()], timeout: '2.5s' })],
    spec: { versions: { all: { labels: SELECTOR } }, initialVersion: 'all', traffic: { timeout: '2500ms' } },
  },
  {
    it: 'a rule alone: requests go to all Pods, whatever subsets there are',
    objects: [
      destinationRule({
        host: 'reviews.shop.svc.cluster.local',
        trafficPolicy: { loadBalancer: { simple: 'RANDOM' } },
        subsets: SUBSETS,
      }),
    ],
    spec: { initialVersion: 'all', traffic: { loadBalancing: 'random' } },
  },
  {
    it: 'retries, with what Istio tries where nothing is said',
    objects: [rule, route({ route: [to('v1')], retries: { attempts: 3, perTryTimeout: '2s' } })],
    spec: {
      traffic: {
        retries: {
          attempts: 3,
          perTryTimeout: '2s',
          on: ['cancelled', 'connect-failure', 'refused-stream', 'unavailable'].map((r) =>
            /^(c.*d|un.*)$/.test(r) ? `grpc-${r}` : r,
          ),
          nonIdempotent: true,
        },
      },
    },
  },
  {
    it: 'routes by path, method, header and cookie, each with what it does',
    objects: [
      rule,
      route(
        {
          name: 'api',
          match: [
            { uri: { exact: '/api' }, method: { exact: 'GET' } },
            { uri: { prefix: '/api/' }, method: { exact: 'GET' } },
          ],
          rewrite: { uri: '/' },
          route: [to('v1')],
          timeout: '1s',
        },
        { match: [{ uri: { prefix: '/old' } }], redirect: { uri: '/new', redirectCode: 308 } },
        {
          match: [{ headers: { 'x-user': {} } }, { headers: { 'X-Team': { prefix: 'a' } } }],
          route: [to('v1')],
          fault: { abort: { httpStatus: 503, percentage: { value: 10 } } },
        },
        { route: [to('v1')] },
      ),
    ],
    spec: {
      traffic: {
        routes: [
          {
            name: 'api',
            match: [{ path: { prefix: '/api' }, methods: ['GET'] }],
            rewrite: { path: '/' },
            timeout: '1s',
          },
          { name: 'route-2', match: [{ path: { regex: '/old.*' } }], redirect: { path: '/new', status: 308 } },
          {
            name: 'route-3',
            match: [{ headers: { 'x-user': { regex: '.*' } } }, { headers: { 'x-team': { prefix: 'a' } } }],
            fault: { abort: { status: 503, percent: 10 } },
          },
        ],
      },
    },
  },
  {
    it: 'copies for another version',
    objects: [
      rule,
      route({ route: [to('v1')], mirror: { host: 'reviews', subset: 'v2' }, mirrorPercentage: { value: 5 } }),
    ],
    spec: { traffic: { mirror: { version: 'v2', percent: 5 } } },
  },
  {
    it: 'connections and outliers',
    objects: [
      destinationRule({
        host: 'reviews.shop',
        trafficPolicy: {
          connectionPool: {
            tcp: { maxConnections: 10, connectTimeout: '30ms' },
            http: { http2MaxRequests: 100, idleTimeout: '1m30s' },
          },
          outlierDetection: { consecutive5xxErrors: 7, interval: '5m', baseEjectionTime: '15m' },
          loadBalancer: { localityLbSetting: { failoverPriority: ['topology.kubernetes.io/region'] } },
        },
      }),
    ],
    spec: {
      traffic: {
        connections: { maxConnections: 10, connectTimeout: '30ms', maxRequests: 100, idleTimeout: '90s' },
        // What Envoy does where the rule says nothing, and a policy would say more.
        outliers: { consecutiveErrors: 7, interval: '5m', ejectionTime: '15m', maxEjectionPercent: 10 },
        locality: { prefer: 'region' },
      },
    },
  },
  {
    it: 'who may call, tokens and mutual TLS',
    objects: [
      peerAuthentication({ ...PODS, mtls: { mode: 'STRICT' } }),
      tokens,
      allow(
        {
          from: [{ source: { principals: ['*/ns/shop/sa/web', '*/ns/shop/sa/cart'] } }],
          to: [{ operation: { methods: ['GET'], paths: ['/api/*'] } }],
        },
        { from: [{ source: { namespaces: ['tools'] } }, { source: { requestPrincipals: ['*'] } }] },
        { when: [{ key: 'request.auth.claims[roles]', values: ['Read'] }] },
      ),
      authorizationPolicy(
        { ...PODS, action: 'DENY', rules: [{ from: [{ source: { notRequestPrincipals: ['*'] } }] }] },
        { name: 'token' },
      ),
    ],
    spec: {
      security: {
        mtls: 'strict',
        authentication: { issuers: [ISSUER], required: true },
        authorization: {
          allow: [
            { name: 'reviews', serviceAccounts: ['shop/cart', 'shop/web'], methods: ['GET'], paths: ['/api/*'] },
            { name: 'reviews-2', namespaces: ['tools'] },
            { name: 'reviews-3', claims: { iss: ['https://id.example.com'] } },
            { name: 'reviews-4', claims: { roles: ['Read'] } },
          ],
        },
      },
    },
  },
  {
    it: 'an empty list, which is none to Istio: what denies denies all',
    objects: [
      authorizationPolicy({ ...PODS, action: 'DENY', rules: [{ to: [], when: [] }] }),
      authorizationPolicy(
        { ...PODS, action: 'DENY', rules: [{ from: [], to: [{ operation: { methods: ['PUT'] } }] }] },
        { name: 'puts' },
      ),
    ],
    spec: { security: { authorization: { deny: [{ name: 'reviews' }, { name: 'puts', methods: ['PUT'] }] } } },
  },
  {
    it: 'a policy that lets nobody in',
    objects: [authorizationPolicy(PODS)],
    spec: { security: { authorization: { allow: [] } } },
  },
  {
    it: 'unlisted hosts, logs and traces',
    objects: [
      sidecar({ workloadSelector: { labels: SELECTOR }, outboundTrafficPolicy: { mode: 'REGISTRY_ONLY' } }),
      telemetry({
        ...PODS,
        accessLogging: [{ providers: [{ name: 'envoy' }] }],
        tracing: [{ randomSamplingPercentage: 2.5 }],
      }),
    ],
    spec: { egress: { unlisted: 'deny' }, telemetry: { accessLog: 'all', tracing: { samplePercent: 2.5 } } },
  },
]

/** Objects of which something is told: code, object and field of each finding. */
export const TOLD: readonly { it: string; objects: readonly KubeObject[]; told: readonly string[]; spec?: object }[] = [
  {
    it: 'requests by header to one version alone',
    objects: [
      rule,
      route({ match: [{ headers: { 'end-user': { exact: 'jason' } } }], route: [to('v2')] }, { route: [to('v1')] }),
    ],
    told: ['NotCarried VirtualService shop/reviews /spec/http/0'],
    spec: { initialVersion: 'v1' },
  },
  {
    it: 'another service as destination',
    objects: [route({ route: [{ destination: { host: 'ratings' } }] })],
    told: ['Differs VirtualService shop/reviews /spec/http/0/route'],
  },
  {
    it: 'headers that are set, and a policy for CORS',
    objects: [
      route({
        route: [to()],
        headers: { request: { set: { authorization: 'secret' } } },
        corsPolicy: { allowOrigins: [] },
      }),
    ],
    told: [
      'NotCarried VirtualService shop/reviews /spec/http/0/corsPolicy',
      'NotCarried VirtualService shop/reviews /spec/http/0/headers',
    ],
  },
  {
    it: 'a rewrite of a prefix of characters',
    objects: [route({ match: [{ uri: { prefix: '/api' } }], rewrite: { uri: '/' }, route: [to()] }, { route: [to()] })],
    told: ['NotCarried VirtualService shop/reviews /spec/http/0/rewrite'],
  },
  {
    it: 'routes that leave other requests unanswered',
    objects: [route({ match: [{ uri: { exact: '/a' } }], route: [to()] })],
    told: ['Differs /spec/http/1'],
  },
  {
    it: 'a retry by codes',
    objects: [route({ route: [to()], retries: { attempts: 2, retryOn: '503,reset' } })],
    told: ['NotCarried VirtualService shop/reviews /spec/http/0/retries'],
  },
  {
    it: 'a fault for a part of a per cent, and a timeout beside a fault',
    objects: [
      route(
        {
          match: [{ uri: { exact: '/a' } }],
          route: [to()],
          fault: { delay: { fixedDelay: '1s', percentage: { value: 0.5 } } },
        },
        { route: [to()], timeout: '1s', fault: { delay: { fixedDelay: '1s', percentage: { value: 100 } } } },
      ),
    ],
    told: [
      'LeftOut',
      'LeftOut',
      'Differs VirtualService shop/reviews /spec/http/0/fault',
      'NotCarried VirtualService shop/reviews /spec/http/1/timeout',
    ],
  },
  {
    it: 'a gateway beside the mesh, a further service, and that it is not for all namespaces',
    objects: [
      virtualService({
        hosts: ['reviews', 'ratings.shop.svc.cluster.local'],
        gateways: ['mesh', 'infra/public'],
        exportTo: ['.'],
        http: [{ route: [to()] }],
      }),
    ],
    told: ['NotCarried VirtualService shop/reviews /spec/gateways/1', 'NotCarried VirtualService shop/reviews /spec'],
    spec: { hosts: ['ratings.shop.svc.cluster.local'] },
  },
  {
    it: 'TLS, ports and subsets of a rule with settings of their own',
    objects: [
      destinationRule({
        host: 'reviews',
        trafficPolicy: {
          tls: { mode: 'ISTIO_MUTUAL' },
          portLevelSettings: [{ port: { number: 9080 } }],
          loadBalancer: { simple: 'PASSTHROUGH' },
        },
        subsets: [{ name: 'v1', labels: { version: 'v1' }, trafficPolicy: { loadBalancer: { simple: 'RANDOM' } } }],
      }),
    ],
    told: [
      'NotCarried DestinationRule shop/reviews /spec/trafficPolicy/tls',
      'NotCarried DestinationRule shop/reviews /spec/trafficPolicy',
      'NotCarried DestinationRule shop/reviews /spec/trafficPolicy/loadBalancer',
      'NotCarried DestinationRule shop/reviews /spec/subsets/0/trafficPolicy',
    ],
  },
  ...[
    { outlierDetection: {} },
    { outlierDetection: { maxEjectionPercent: 10 } },
    { outlierDetection: { interval: '5s' } },
    { tls: {} },
  ].map((trafficPolicy) => ({
    it: `the defaults of Istio, by ${JSON.stringify(trafficPolicy)}`,
    objects: [destinationRule({ host: 'reviews', trafficPolicy })],
    told: ['NotCarried DestinationRule shop/reviews /spec/trafficPolicy'],
  })),
  {
    it: 'a second rule of the namespace, which Istio merges, and one that is empty',
    objects: [
      destinationRule({ host: 'reviews' }, { name: 'a' }),
      destinationRule({ host: 'reviews', trafficPolicy: { loadBalancer: { simple: 'RANDOM' } } }, { name: 'b' }),
      destinationRule({ host: 'reviews', subsets: SUBSETS }, { name: 'c' }),
      destinationRule({ host: 'reviews', trafficPolicy: {} }, { name: 'd' }),
      destinationRule({ host: 'reviews.shop.svc.cluster.local', subsets: SUBSETS }, { name: 'e', namespace: 'front' }),
    ],
    told: [
      'NotCarried DestinationRule shop/b',
      'NotCarried DestinationRule shop/c',
      'NotInForce DestinationRule shop/d',
      'OtherNamespace DestinationRule front/e',
    ],
  },
  {
    it: 'mutual TLS by port: the object stays whole',
    objects: [peerAuthentication({ ...PODS, mtls: { mode: 'STRICT' }, portLevelMtls: { 9080: { mode: 'DISABLE' } } })],
    told: ['StaysWithOwner PeerAuthentication shop/reviews /spec'],
  },
  {
    it: 'one rule without words: all of them stay, so that nobody is let in',
    objects: [
      allow(
        { from: [{ source: { serviceAccounts: ['shop/web'] } }] },
        { from: [{ source: { ipBlocks: ['10.0.0.0/8'] } }] },
      ),
      authorizationPolicy({ ...PODS, action: 'CUSTOM', provider: { name: 'opa' }, rules: [{}] }, { name: 'opa' }),
    ],
    told: [
      'LeftOut',
      'StaysWithOwner AuthorizationPolicy shop/reviews /spec/rules/0',
      'StaysWithOwner AuthorizationPolicy shop/reviews /spec/rules/1',
      'StaysWithOwner AuthorizationPolicy shop/opa /spec/rules/0',
      'StaysWithOwner AuthorizationPolicy shop/opa /spec',
    ],
  },
  {
    it: 'tokens without audiences, and the rules that ask for their claims',
    objects: [
      requestAuthentication({
        ...PODS,
        jwtRules: [{ issuer: 'https://id.example.com', jwksUri: 'https://id.example.com/keys' }],
      }),
      allow({ when: [{ key: 'request.auth.claims[roles]', values: ['Read'] }] }),
    ],
    told: [
      'LeftOut',
      'LeftOut',
      'StaysWithOwner RequestAuthentication shop/reviews /spec/jwtRules/0',
      'StaysWithOwner AuthorizationPolicy shop/reviews /spec/rules/0',
    ],
  },
  {
    it: 'a second route for the host, and a rule of another namespace',
    objects: [
      virtualService(
        { hosts: ['reviews'], http: [{ route: [to()] }] },
        { name: 'a', creationTimestamp: '2026-01-01T00:00:00Z' },
      ),
      virtualService({ hosts: ['reviews'], http: [] }, { name: 'b', creationTimestamp: '2026-02-01T00:00:00Z' }),
      destinationRule({ host: 'reviews.shop.svc.cluster.local' }, { namespace: 'front' }),
    ],
    told: ['NotInForce VirtualService shop/b', 'OtherNamespace DestinationRule front/reviews'],
  },
  {
    it: 'a trust domain that is named',
    objects: [allow({ from: [{ source: { principals: ['cluster.local/ns/shop/sa/web'] } }] })],
    told: ['TrustDomain AuthorizationPolicy shop/reviews /spec/rules'],
    spec: { security: { authorization: { allow: [{ serviceAccounts: ['shop/web'] }] } } },
  },
]
