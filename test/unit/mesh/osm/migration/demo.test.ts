import { describe, expect, test } from 'vitest'
import { istio } from '../../../../../src/mesh/istio/istio.ts'
import { migrateOsm } from '../../../../../src/mesh/osm/migration/migrate.ts'
import type { OsmObjects } from '../../../../../src/mesh/osm/migration/objects.ts'
import type { KubeObject } from '../../../../../src/model/kube.ts'
import { demo, REPLACEMENTS } from './demo.ts'
import { type Attempt, letsInAfter, letsInOf, podsOf } from './oracle.ts'

const AGENT = { 'user-agent': 'Go-http-client/1.1', 'client-app': 'bookbuyer' }
const CALLERS = [
  'bookbuyer/bookbuyer',
  'bookthief/bookthief',
  'bookstore/bookstore-v1',
  'bookstore/bookstore-v2',
  'bookwarehouse/bookwarehouse',
  undefined,
]
const REQUESTS = [
  { method: 'GET', path: '/books-bought', headers: AGENT },
  { method: 'GET', path: '/buy-a-book/new', headers: AGENT },
  { method: 'GET', path: '/', headers: AGENT },
  { method: 'POST', path: '/update-books-bought', headers: AGENT },
  { method: 'POST', path: '/', headers: AGENT },
]

/** Every caller with every request to every Pod at the port that is served and at another. */
function attempts(objects: ReturnType<typeof demo>): readonly Attempt[] {
  return podsOf(objects).flatMap((pod) =>
    CALLERS.flatMap((from) => REQUESTS.flatMap((http) => [14001, 15999].map((port) => ({ from, ...pod, port, http })))),
  )
}

/** The demo's Pods behind a Service, written down from its scripts (demo/deploy-*.sh) and read by no code. */
const PODS = [
  { namespace: 'bookstore', account: 'bookstore-v1', labels: { app: 'bookstore', version: 'v1' } },
  { namespace: 'bookstore', account: 'bookstore-v2', labels: { app: 'bookstore', version: 'v2' } },
  { namespace: 'bookwarehouse', account: 'bookwarehouse', labels: { app: 'bookwarehouse', version: 'v1' } },
]
/** All that its TrafficTargets let in at port 14001, by hand; nothing at any other port. */
const LET_IN = [
  'bookbuyer/bookbuyer → bookstore-v1 GET /books-bought',
  'bookbuyer/bookbuyer → bookstore-v1 GET /buy-a-book/new',
  'bookbuyer/bookbuyer → bookstore-v2 GET /books-bought',
  'bookbuyer/bookbuyer → bookstore-v2 GET /buy-a-book/new',
  'bookstore/bookstore-v1 → bookwarehouse POST /',
  'bookstore/bookstore-v1 → bookwarehouse POST /update-books-bought',
  'bookstore/bookstore-v2 → bookwarehouse POST /',
  'bookstore/bookstore-v2 → bookwarehouse POST /update-books-bought',
]

/** What is let in of every caller with every request at a port, as `LET_IN` says it. */
function letInAt(port: number, lets: (attempt: Attempt) => boolean | undefined): readonly string[] {
  const all = PODS.flatMap((pod) => CALLERS.flatMap((from) => REQUESTS.map((http) => ({ from, ...pod, port, http }))))
  return all
    .filter((attempt) => lets(attempt) === true)
    .map(({ from, account, http }) => `${from} → ${account} ${http.method} ${http.path}`)
    .sort()
}

describe('the demo of Open Service Mesh, as it is written down by hand', () => {
  test('before and after, who is let in is who was', () => {
    const { services } = migrateOsm(demo(), REPLACEMENTS)
    expect(letInAt(14001, (attempt) => letsInAfter(services, attempt))).toEqual(LET_IN)
    expect(letInAt(14001, letsInOf(demo()))).toEqual(LET_IN)
    expect(letInAt(15999, (attempt) => letsInAfter(services, attempt))).toEqual([])
    expect(letInAt(15999, letsInOf(demo()))).toEqual([])
  })

  test('in permissive mode everybody of the mesh, at the port that is served, and nobody else', () => {
    const { services } = migrateOsm(demo({ permissive: true }))
    const everybody = letInAt(14001, ({ from }) => from !== undefined)
    expect(everybody).toHaveLength(3 * 5 * REQUESTS.length)
    expect(letInAt(14001, (attempt) => letsInAfter(services, attempt))).toEqual(everybody)
    expect(letInAt(15999, (attempt) => letsInAfter(services, attempt))).toEqual([])
    expect(letInAt(14001, letsInOf(demo({ permissive: true })))).toEqual(everybody)
  })

  test('its Pods are those that the oracle and the property tests look at', () => {
    const own = podsOf(demo()).filter(({ namespace }) => namespace === 'bookstore' || namespace === 'bookwarehouse')
    expect(own.map(({ namespace, account, labels }) => ({ namespace, account, labels }))).toEqual(PODS)
  })

  test.each<[string, (objects: OsmObjects) => OsmObjects, readonly string[]]>([
    [
      'a TrafficTarget fewer: v2 is closed, and as rules hold for both versions so is v1',
      (objects) => ({
        ...objects,
        trafficTargets: objects.trafficTargets.filter(({ metadata }) => !metadata.name.endsWith('-v2')),
      }),
      LET_IN.filter((words) => words.includes('bookwarehouse')),
    ],
    [
      'no callers: nobody',
      (objects) => ({ ...objects, trafficTargets: withSpec(objects.trafficTargets, { sources: [] }) }),
      [],
    ],
    [
      'no rules: nobody',
      (objects) => ({ ...objects, trafficTargets: withSpec(objects.trafficTargets, { rules: [] }) }),
      [],
    ],
    ['no route groups: nobody', (objects) => ({ ...objects, routeGroups: [] }), []],
    [
      'route groups without matches: nobody',
      (objects) => ({ ...objects, routeGroups: withSpec(objects.routeGroups, { matches: [] }) }),
      [],
    ],
    [
      'no namespace that the mesh watches: nobody, for no service is left',
      (objects) => ({ ...objects, namespaces: [] }),
      [],
    ],
  ])('%s', (_, change, expected) => {
    const { services } = migrateOsm(change(demo()), REPLACEMENTS)
    expect(letInAt(14001, (attempt) => letsInAfter(services, attempt))).toEqual(expected)
  })
})

function withSpec(objects: readonly KubeObject[], change: object): readonly KubeObject[] {
  return objects.map((one) => ({ ...one, spec: { ...one.spec, ...change } }))
}

describe('the demo of Open Service Mesh', () => {
  test.each([
    [{ permissive: false }, REPLACEMENTS],
    [{ permissive: true }, []],
  ])('lets in after what it let in before: %j', (mode, replacements) => {
    const objects = demo(mode)
    const letsInBefore = letsInOf(objects)
    const { services } = migrateOsm(objects, replacements)
    let compared = 0
    for (const attempt of attempts(objects)) {
      const after = letsInAfter(services, attempt)
      if (after === undefined) continue
      compared += 1
      expect({ ...attempt, allowed: after }).toEqual({ ...attempt, allowed: letsInBefore(attempt) })
    }
    // Three Pods have a Service: bookstore v1 and v2, bookwarehouse.
    expect(compared).toBe(3 * CALLERS.length * REQUESTS.length * 2)
  })

  test.each([
    ['bookbuyer/bookbuyer', 'bookstore', 'GET', '/buy-a-book/new', true],
    ['bookbuyer/bookbuyer', 'bookstore', 'GET', '/books-bought', true],
    ['bookbuyer/bookbuyer', 'bookstore', 'POST', '/update-books-bought', false],
    ['bookthief/bookthief', 'bookstore', 'GET', '/buy-a-book/new', false],
    ['bookstore/bookstore-v1', 'bookwarehouse', 'POST', '/', true],
    ['bookstore/bookstore-v2', 'bookwarehouse', 'POST', '/', true],
    ['bookstore/bookstore-v1', 'bookwarehouse', 'GET', '/', false],
    ['bookbuyer/bookbuyer', 'bookwarehouse', 'POST', '/', false],
  ])('%s → %s %s %s: %s', (from, app, method, path, allowed) => {
    const objects = demo()
    const letsInBefore = letsInOf(objects)
    const { services } = migrateOsm(objects, REPLACEMENTS)
    const pods = podsOf(objects).filter(({ labels }) => labels.app === app)
    expect(pods.length).toBeGreaterThan(0)
    for (const pod of pods) {
      const attempt = { from, ...pod, port: 14001, http: { method, path, headers: AGENT } }
      expect([letsInBefore(attempt), letsInAfter(services, attempt)]).toEqual([allowed, allowed])
    }
  })

  test('becomes a service with two versions and one with one', () => {
    const { services } = migrateOsm(demo(), REPLACEMENTS)
    expect(services.map(({ namespace, name }) => `${namespace}/${name}`)).toEqual([
      'bookstore/bookstore',
      'bookwarehouse/bookwarehouse',
    ])
    expect(services[0]?.spec).toEqual({
      ports: [{ name: 'bookstore-port', port: 14001, protocol: 'http', targetPort: 14001 }],
      versions: {
        v1: { labels: { app: 'bookstore', version: 'v1' }, serviceAccount: 'bookstore-v1' },
        v2: { labels: { app: 'bookstore', version: 'v2' }, serviceAccount: 'bookstore-v2' },
      },
      initialVersion: 'v1',
      workload: { labels: { app: 'bookstore' } },
      traffic: { weights: { v1: 50, v2: 50 } },
      security: {
        mtls: 'strict',
        authorization: {
          allow: [
            {
              name: 'bookbuyer',
              serviceAccounts: ['bookbuyer/bookbuyer'],
              methods: ['GET'],
              paths: ['/books-bought', '/buy-a-book/new'],
              ports: ['bookstore-port'],
            },
          ],
        },
      },
      egress: { unlisted: 'deny' },
      onDrift: 'restore',
      adopt: false,
    })
    expect(services[1]?.spec.security?.authorization?.allow).toEqual([
      {
        name: 'bookstore-v1-and-others',
        serviceAccounts: ['bookstore/bookstore-v1', 'bookstore/bookstore-v2'],
        methods: ['POST'],
        ports: ['bookwarehouse-port'],
      },
    ])
  })

  test('tells of the matches that rules have no words for, and leaves them out', () => {
    const { services, findings, callers } = migrateOsm(demo())
    expect(services[0]?.spec.security?.authorization?.allow).toEqual([])
    expect(findings.map(({ code, object }) => `${code} ${object}`)).toEqual([
      'PodsWithoutService Deployment bookbuyer/bookbuyer',
      'PathNotSayable HTTPRouteGroup bookstore/bookstore-service-routes',
      'HeadersNotSayable HTTPRouteGroup bookstore/bookstore-service-routes',
      'EgressOpen Deployment bookbuyer/bookbuyer',
    ])
    expect(callers).toEqual([
      { from: 'bookbuyer/bookbuyer', to: 'bookstore/bookstore', after: 'none' },
      { from: 'bookstore/bookstore-v1', to: 'bookwarehouse/bookwarehouse', after: 'same' },
      { from: 'bookstore/bookstore-v2', to: 'bookwarehouse/bookwarehouse', after: 'same' },
    ])
  })

  test.each([true, false])('is rendered by Istio, permissive %s', (permissive) => {
    for (const { namespace, name, spec } of migrateOsm(demo({ permissive }), REPLACEMENTS).services) {
      const rendered = istio.render({
        namespace,
        name,
        spec: { ...spec, team: 'books', clusters: ['west'] },
        policy: spec,
        mesh: { provider: 'istio', version: '1.30.2' },
        gateways: {},
        renderRevision: 1,
        weights: { [spec.initialVersion]: 100 },
      })
      expect(rendered.ok ? undefined : rendered.failure).toBeUndefined()
    }
  })
})
