import type { PolicyRow, PolicyRows } from './policy-rows.ts'

const workload = { labels: { app: 'web' } }
const selector = { matchLabels: { app: 'web' } }
const TENANT = '9C5F3D2A-1B4E-4C6D-8E7F-0A1B2C3D4E5F'
const tenant = TENANT.toLowerCase()
const AUDIENCE = '1f0e2d3c-4b5a-4697-8879-6a5b4c3d2e1f'
const entra = { entra: { tenant: TENANT, audiences: [AUDIENCE] } }
const login = 'https://login.microsoftonline.com'
const tcp = { name: 'db', port: 5432, protocol: 'tcp', targetPort: 5432 }
const http = { name: 'http', port: 80, protocol: 'http', targetPort: 8080 }

const mtls = (mode: string, expected: string): PolicyRow => ({
  change: { workload, security: { mtls: mode } },
  gives: { 'PeerAuthentication web': { selector, mtls: { mode: expected } } },
})
const unbound = (change: object): PolicyRow => ({ change: { ...change }, refused: '/workload' })
const allow = (rule: object, expected: object, more: object = {}): PolicyRow => ({
  change: { workload, security: { authorization: { allow: [{ name: 'a', ...rule }] } }, ...more },
  gives: { 'AuthorizationPolicy web-allow': { selector, action: 'ALLOW', rules: [expected] } },
})
const authentication = (issuer: object, more: object = {}) => ({
  workload,
  security: { authentication: { issuers: [issuer], ...more } },
})
const entraIssuer = `${login}/${tenant}/v2.0`
const ISSUER = 'request.auth.claims[iss]'
const issuer = { issuer: 'https://id.example.com', jwksUri: 'https://id.example.com/keys', audiences: ['web'] }
const egress = (egress: object, gives: PolicyRow['gives']): PolicyRow => ({
  change: { workload, egress },
  ...(gives ? { gives } : {}),
})
const tls = { mode: 'SIMPLE', sni: 'pay.example.com', subjectAltNames: ['pay.example.com'] }
const PAY = 'svmimubvsva4'
const host = (ports: readonly object[], more: object = {}) => ({ hosts: [{ host: 'pay.example.com', ports, ...more }] })

/** What Istio gets for each field of security, egress and telemetry. */
export const WORKLOAD_ROWS: PolicyRows = {
  'security.mtls.strict': [mtls('strict', 'STRICT'), unbound({ security: { mtls: 'strict' } })],
  'security.mtls.permissive': [mtls('permissive', 'PERMISSIVE')],
  'security.mtls.disabled': [mtls('disabled', 'DISABLE')],
  'security.authentication': [
    {
      change: authentication(entra),
      gives: {
        'RequestAuthentication web': {
          selector,
          jwtRules: [
            {
              issuer: entraIssuer,
              audiences: [AUDIENCE],
              jwksUri: `${login}/${tenant}/discovery/v2.0/keys`,
            },
          ],
        },
        'AuthorizationPolicy web-token': {
          selector,
          action: 'DENY',
          rules: [
            { from: [{ source: { notRequestPrincipals: [`${entraIssuer}/*`] } }] },
            { when: [{ key: ISSUER, notValues: [entraIssuer] }] },
          ],
        },
      },
    },
    {
      change: authentication({ entra: { ...entra.entra, forwardToken: true } }),
      gives: { RequestAuthentication: { jwtRules: [{ issuer: entraIssuer, forwardOriginalToken: true }] } },
    },
    {
      change: { workload, security: { authentication: { issuers: [entra, issuer] } } },
      gives: {
        'AuthorizationPolicy web-token': {
          rules: [
            { from: [{ source: { notRequestPrincipals: [`${entraIssuer}/*`, `${issuer.issuer}/*`] } }] },
            { when: [{ key: ISSUER, notValues: [entraIssuer, issuer.issuer] }] },
          ],
        },
      },
    },
    {
      change: authentication({ ...issuer, forwardToken: true }),
      gives: { RequestAuthentication: { jwtRules: [{ ...issuer, forwardOriginalToken: true }] } },
      lacks: ['jwtRules.0.forwardToken'],
    },
    {
      change: { ...authentication(issuer), ports: [http, tcp] },
      gives: {
        'AuthorizationPolicy web-token': {
          rules: [{ to: [{ operation: { ports: ['8080'] } }] }, { to: [{ operation: { ports: ['8080'] } }] }],
        },
      },
    },
    {
      change: { ...authentication(issuer), ports: [{ ...http, targetPort: 'http' }, tcp] },
      refused: '/ports/0/targetPort',
    },
    {
      change: { ...authentication(issuer), ports: [http, { ...tcp, targetPort: 8080 }] },
      refused: '/security/authentication',
    },
    { change: { ...authentication(issuer), ports: [tcp] }, refused: '/security/authentication' },
    {
      change: authentication({ ...issuer, issuer: `${login}/common/v2.0` }),
      refused: '/security/authentication/issuers/0/issuer',
    },
    {
      change: authentication({ ...issuer, jwksUri: 'https://id.shop.svc.cluster.local/keys' }),
      refused: '/security/authentication/issuers/0/jwksUri',
    },
  ],
  'security.authentication.required.false': [
    {
      change: authentication(issuer, { required: false }),
      gives: { RequestAuthentication: { jwtRules: [issuer] } },
      without: ['AuthorizationPolicy'],
    },
  ],
  'security.authorization.allow': [
    {
      change: { workload, security: { authorization: { allow: [] } } },
      gives: { 'AuthorizationPolicy web-allow': { selector, action: 'ALLOW' } },
      lacks: ['rules'],
    },
    allow({}, {}),
    unbound({ security: { authorization: { allow: [] } } }),
  ],
  'security.authorization.allow.serviceAccounts': [
    allow({ serviceAccounts: ['shop/cart'] }, { from: [{ source: { principals: ['*/ns/shop/sa/cart'] } }] }),
  ],
  'security.authorization.allow.namespaces': [
    allow({ namespaces: ['shop'] }, { from: [{ source: { namespaces: ['shop'] } }] }),
  ],
  'security.authorization.allow.claims': [
    {
      change: {
        workload,
        security: {
          authentication: { issuers: [entra] },
          authorization: { allow: [{ name: 'a', claims: { roles: ['Cart.Read', 'Cart.Write'], tid: [tenant] } }] },
        },
      },
      gives: {
        'AuthorizationPolicy web-allow': {
          rules: [
            {
              from: [{ source: { requestPrincipals: [`${entraIssuer}/*`] } }],
              when: [
                { key: 'request.auth.claims[roles]', values: ['Cart.Read', 'Cart.Write'] },
                { key: 'request.auth.claims[tid]', values: [tenant] },
                { key: ISSUER, values: [entraIssuer] },
              ],
            },
          ],
        },
      },
    },
    {
      change: {
        workload,
        security: {
          authentication: { issuers: [issuer] },
          authorization: {
            allow: [
              { name: 'a', serviceAccounts: ['shop/cart'], claims: { roles: ['Read'] } },
              { name: 'b', namespaces: ['shop'], claims: { roles: ['Read'] } },
            ],
            deny: [{ name: 'a', claims: { roles: ['Gone'] } }],
          },
        },
      },
      gives: {
        'AuthorizationPolicy web-allow': {
          rules: [
            { from: [{ source: { principals: ['*/ns/shop/sa/cart'], requestPrincipals: [`${issuer.issuer}/*`] } }] },
            { from: [{ source: { namespaces: ['shop'], requestPrincipals: [`${issuer.issuer}/*`] } }] },
          ],
        },
        'AuthorizationPolicy web-deny': {
          rules: [{ when: [{ key: 'request.auth.claims[roles]', values: ['Gone'] }] }],
        },
      },
    },
  ],
  'security.authorization.allow.methods': [
    allow({ methods: ['GET', 'HEAD'] }, { to: [{ operation: { methods: ['GET', 'HEAD'] } }] }),
    allow({ methods: ['GET'] }, { to: [{ operation: { methods: ['GET'], ports: ['8080'] } }] }, { ports: [http, tcp] }),
  ],
  'security.authorization.allow.paths': [
    allow({ paths: ['/a', '/b/*'] }, { to: [{ operation: { paths: ['/a', '/b/*'] } }] }),
    {
      change: { workload, security: { authorization: { allow: [{ name: 'a', paths: ['/{id}'] }] } } },
      refused: '/security/authorization/allow/0/paths/0',
    },
  ],
  'security.authorization.allow.ports': [
    allow({ ports: ['http', 'db'] }, { to: [{ operation: { ports: ['8080', '5432'] } }] }, { ports: [http, tcp] }),
    {
      change: { workload, security: { authorization: { allow: [{ name: 'a', ports: ['http'] }] } } },
      refused: '/ports/0/targetPort',
    },
    {
      change: {
        workload,
        ports: [tcp, http, { ...http, name: 'alias', port: 81 }],
        security: { authorization: { allow: [{ name: 'a', ports: ['db', 'http'] }] } },
      },
      refused: '/security/authorization/allow/0/ports/1',
    },
    {
      change: {
        workload,
        ports: [http, { name: 'alias', port: 8080, protocol: 'tcp' }],
        security: { authorization: { allow: [{ name: 'a', methods: ['GET'] }] } },
      },
      refused: '/security/authorization/allow/0',
    },
    allow(
      { ports: ['http', 'alias'] },
      { to: [{ operation: { ports: ['8080'] } }] },
      { ports: [http, { ...http, name: 'alias', port: 81 }] },
    ),
  ],
  'security.authorization.deny': [
    {
      change: {
        workload,
        security: {
          authorization: {
            deny: [{ name: 'a', serviceAccounts: ['old/cart'], methods: ['DELETE'], paths: ['/admin*'] }],
          },
        },
      },
      gives: {
        'AuthorizationPolicy web-deny': {
          selector,
          action: 'DENY',
          rules: [
            {
              from: [{ source: { principals: ['*/ns/old/sa/cart'] } }],
              to: [{ operation: { methods: ['DELETE'], paths: ['/admin*'] } }],
            },
          ],
        },
      },
    },
    {
      change: { workload, security: { authorization: { deny: [] } } },
      gives: {},
      without: ['AuthorizationPolicy'],
    },
    {
      change: {
        workload,
        ports: [http, tcp],
        security: { authorization: { deny: [{ name: 'a', methods: ['DELETE'], ports: ['db'] }] } },
      },
      refused: '/security/authorization/deny/0/ports/0',
    },
    {
      change: {
        workload,
        ports: [tcp],
        security: { authorization: { deny: [{ name: 'a', methods: ['DELETE'] }] } },
      },
      refused: '/security/authorization/deny/0',
    },
  ],
  'egress.unlisted.allow': [
    egress(
      { unlisted: 'allow' },
      {
        'Sidecar web': {
          workloadSelector: { labels: { app: 'web' } },
          outboundTrafficPolicy: { mode: 'ALLOW_ANY' },
        },
      },
    ),
  ],
  'egress.unlisted.deny': [
    egress({ unlisted: 'deny' }, { 'Sidecar web': { outboundTrafficPolicy: { mode: 'REGISTRY_ONLY' } } }),
    unbound({ egress: { unlisted: 'deny' } }),
  ],
  'egress.hosts': [
    egress(
      {
        hosts: [
          {
            host: 'pay.example.com',
            ports: [
              { port: 443, protocol: 'https' },
              { port: 80, protocol: 'http' },
            ],
          },
        ],
      },
      {
        [`ServiceEntry web-${PAY}`]: {
          hosts: ['pay.example.com'],
          ports: [
            { number: 443, name: 'https-443', protocol: 'HTTPS' },
            { number: 80, name: 'http-80', protocol: 'HTTP' },
          ],
          location: 'MESH_EXTERNAL',
          resolution: 'DNS',
          exportTo: ['.'],
        },
      },
    ),
    egress(
      { hosts: [{ host: '*.example.com', ports: [{ port: 443, protocol: 'tls' }] }] },
      { ServiceEntry: { resolution: 'NONE' } },
    ),
    { change: { egress: host([{ port: 5432, protocol: 'tcp' }]) }, refused: '/egress/hosts/0/ports/0/protocol' },
    {
      change: {
        egress: host([
          { port: 80, protocol: 'http' },
          { port: 80, protocol: 'grpc' },
        ]),
      },
      refused: '/egress/hosts/0/ports/1/port',
    },
  ],
  'egress.hosts.originateTls': [
    egress(
      host(
        [
          { port: 80, protocol: 'http' },
          { port: 8443, protocol: 'grpc' },
        ],
        { originateTls: true },
      ),
      {
        [`DestinationRule web-${PAY}`]: {
          host: 'pay.example.com',
          trafficPolicy: {
            portLevelSettings: [
              { port: { number: 80 }, tls },
              { port: { number: 8443 }, tls },
            ],
          },
          exportTo: ['.'],
        },
        [`ServiceEntry web-${PAY}`]: { ports: [{ number: 80, targetPort: 443 }, { number: 8443 }] },
      },
    ),
    {
      change: { egress: host([{ port: 443, protocol: 'https' }], { originateTls: true }) },
      refused: '/egress/hosts/0/ports/0/protocol',
    },
    {
      change: {
        egress: { hosts: [{ host: '*.example.com', ports: [{ port: 80, protocol: 'http' }], originateTls: true }] },
      },
      refused: '/egress/hosts/0/originateTls',
    },
  ],
  'telemetry.accessLog': [
    {
      change: { workload, telemetry: { accessLog: 'errors' } },
      gives: {
        'Telemetry web': {
          selector,
          accessLogging: [{ providers: [{ name: 'envoy' }], filter: { expression: 'response.code >= 400' } }],
        },
      },
    },
    {
      change: { workload, telemetry: { accessLog: 'all' } },
      gives: { Telemetry: { accessLogging: [{ providers: [{ name: 'envoy' }] }] } },
      lacks: ['accessLogging.0.filter', 'accessLogging.0.disabled', 'tracing'],
    },
    {
      change: { workload, telemetry: { accessLog: 'off' } },
      gives: { Telemetry: { accessLogging: [{ disabled: true }] } },
    },
    unbound({ telemetry: { accessLog: 'off' } }),
  ],
  'telemetry.tracing': [
    {
      change: { workload, telemetry: { tracing: { samplePercent: 2.5 } } },
      gives: { Telemetry: { tracing: [{ randomSamplingPercentage: 2.5 }] } },
    },
  ],
}
