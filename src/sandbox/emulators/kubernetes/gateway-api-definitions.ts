import { definitionOf } from './custom-resources.ts'
import type { Json, JsonObject, KubernetesObject } from './json.ts'

const group = 'gateway.networking.k8s.io'

const text = (value?: Json): JsonObject => ({ type: 'string', ...(value === undefined ? {} : { default: value }) })
const whole = (value: number): JsonObject => ({ type: 'integer', default: value })
const struct = (properties: JsonObject, value?: Json): JsonObject => ({
  type: 'object',
  properties,
  ...(value === undefined ? {} : { default: value }),
})
const list = (items: JsonObject, more: JsonObject = {}): JsonObject => ({ type: 'array', items, ...more })
const byName = { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] }

const parentRefs = list(struct({ group: text(group), kind: text('Gateway') }))
const reference = { group: text(''), kind: text('Service') }
const filters = list(
  struct({
    requestMirror: struct({ backendRef: struct(reference), fraction: struct({ denominator: whole(100) }) }),
    requestRedirect: struct({ statusCode: whole(302) }),
  }),
)
const backendRefs = list(struct({ ...reference, weight: whole(1), filters }))
const exact = list(struct({ type: text('Exact') }))

const everyPath = { type: 'PathPrefix', value: '/' }
const httpMatch = struct({
  path: struct({ type: text('PathPrefix'), value: text('/') }, everyPath),
  headers: exact,
  queryParams: exact,
})
const httpRules = list(struct({ matches: list(httpMatch, { default: [{ path: everyPath }] }), filters, backendRefs }), {
  default: [{ matches: [{ path: everyPath }] }],
})
const grpcMatch = struct({ method: struct({ type: text('Exact') }), headers: exact })
const grpcRules = list(struct({ matches: list(grpcMatch), filters, backendRefs }))

const sameNamespace = { from: 'Same' }
const listeners = list(
  struct({
    allowedRoutes: struct(
      {
        kinds: list(struct({ group: text(group) })),
        namespaces: struct({ from: text('Same') }, sameNamespace),
      },
      { namespaces: sameNamespace },
    ),
    tls: struct({
      mode: text('Terminate'),
      certificateRefs: list(struct({ group: text(''), kind: text('Secret') })),
    }),
  }),
  byName,
)

/** The status of what no controller has looked at yet. */
const pending = (...types: readonly string[]): JsonObject => {
  const common = { status: 'Unknown', reason: 'Pending', message: 'Waiting for controller' }
  const value = types.map((type) => ({ type, ...common, lastTransitionTime: '1970-01-01T00:00:00Z' }))
  const byType = { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] }
  return struct({ conditions: list({ type: 'object' }, { ...byType, default: value }) }, { conditions: value })
}

/**
 * The CustomResourceDefinitions of the Gateway API's standard channel, with its defaults, as objects to seed.
 * `bundleVersion` is for example `v1.5.1`.
 */
export function gatewayApiDefinitions(bundleVersion: string): KubernetesObject[] {
  const annotations = { [`${group}/bundle-version`]: bundleVersion, [`${group}/channel`]: 'standard' }
  const define = (kind: string, plural: string, more = {}) =>
    definitionOf({
      group,
      versions: ['v1', 'v1beta1'],
      kind,
      plural,
      annotations,
      categories: ['gateway-api'],
      ...more,
    })
  return [
    define('GatewayClass', 'gatewayclasses', { namespaced: false, shortNames: ['gc'], status: pending('Accepted') }),
    define('Gateway', 'gateways', {
      shortNames: ['gtw'],
      spec: struct({ addresses: list(struct({ type: text('IPAddress') })), listeners }),
      status: pending('Accepted', 'Programmed'),
    }),
    define('HTTPRoute', 'httproutes', { spec: struct({ parentRefs, rules: httpRules }) }),
    define('GRPCRoute', 'grpcroutes', { versions: ['v1'], spec: struct({ parentRefs, rules: grpcRules }) }),
    define('ReferenceGrant', 'referencegrants', { versions: ['v1beta1'], shortNames: ['refgrant'] }),
  ]
}
