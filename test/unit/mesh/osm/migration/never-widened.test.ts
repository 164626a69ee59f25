import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Replacement } from '../../../../../src/mesh/osm/migration/access.ts'
import { migrateOsm } from '../../../../../src/mesh/osm/migration/migrate.ts'
import type { OsmObjects } from '../../../../../src/mesh/osm/migration/objects.ts'
import { canonicalJson } from '../../../../../src/model/digest.ts'
import { deployment, meshConfig, namespace, object, osmObjects, routeGroup, service, trafficTarget } from './demo.ts'
import { type Attempt, letsInAfter, letsInOf, podsOf } from './oracle.ts'

const NAMESPACES = ['shop', 'bank']
const APPS = ['web', 'api', 'db']
const ACCOUNTS = ['one', 'two']
const PATHS = ['/', '/a', '/a/b', '/axb', '/buy/a-book/new', '/pkg.Books/Get']
const REGEXES = [
  '/a',
  '/a.*',
  '/a/.*',
  '/(a|buy)(/.*)?',
  '.*a-book.*new',
  '/pkg.Books/.*',
  '/a[xy]b',
  '/a/?',
  undefined,
]
const METHODS = [['GET'], ['POST', 'GET'], ['*'], undefined]
const PORTS = [
  { name: 'http-web', port: 80, targetPort: 8080 },
  { name: 'tcp-raw', port: 9000, targetPort: 9000 },
  { name: 'grpc-api', port: 81, targetPort: 8081 },
]

const account = fc.constantFrom(...ACCOUNTS)
const namespaceName = fc.constantFrom('shop', 'shop', 'shop', 'bank')
const caller = fc.tuple(namespaceName, account).map(([of, name]) => `${of}/${name}`)

const match = (name: string) =>
  fc.record({
    name: fc.constant(name),
    pathRegex: fc.constantFrom(...REGEXES),
    methods: fc.constantFrom(...METHODS),
    headers: fc.constantFrom(undefined, undefined, undefined, [{ 'client-app': 'bookbuyer' }]),
  })
const matches = fc.tuple(match('m0'), match('m1'))

const rule = fc.oneof(
  fc.record({
    kind: fc.constant('HTTPRouteGroup'),
    name: fc.constantFrom('g0', 'g0', 'g0', 'g1', 'gone'),
    matches: fc.subarray(['m0', 'm1', 'none'], { minLength: 1 }),
  }),
  fc.record({ kind: fc.constant('TCPRoute'), name: fc.constantFrom('t0', 't0', 't0', 't1', 'gone') }),
)

const target = fc.record({
  of: namespaceName,
  to: account,
  from: fc.array(caller, { minLength: 0, maxLength: 2 }),
  rules: fc.array(rule, { minLength: 0, maxLength: 2 }),
})

/** Of one name there is but one in a namespace. */
const UNIQUE = { selector: ([of, name]: readonly [string, string, unknown]) => `${of}/${name}`, maxLength: 4 }

/** Two versions of an app, each under an account of its own or not, and perhaps a split over them. */
const app = fc.record({
  of: namespaceName,
  name: fc.constantFrom(...APPS),
  accounts: fc.tuple(account, account),
  ports: fc.subarray(PORTS, { minLength: 1 }),
  /** Those of the Services of its versions. */
  own: fc.option(fc.subarray(PORTS, { minLength: 1 }), { nil: undefined }),
  split: fc.option(fc.tuple(fc.nat(9), fc.nat(9)), { nil: undefined }),
  /** Others have Pods that no Service stands for. */
  hasService: fc.constantFrom(true, true, true, false),
})

const cluster = fc
  .record({
    permissive: fc.constantFrom(true, false, false, false),
    apps: fc.uniqueArray(app, { selector: ({ of, name }) => `${of}/${name}`, minLength: 1, maxLength: 3 }),
    targets: fc.array(target, { minLength: 1, maxLength: 6 }),
    groups: fc.uniqueArray(fc.tuple(namespaceName, fc.constantFrom('g0', 'g0', 'g1'), matches), UNIQUE),
    tcp: fc.uniqueArray(fc.tuple(namespaceName, fc.constantFrom('t0', 't0', 't1'), fc.subarray([9000, 8080])), UNIQUE),
  })
  .map(({ permissive, apps, targets, groups, tcp }): OsmObjects => {
    return osmObjects({
      meshConfigs: [meshConfig(permissive)],
      namespaces: NAMESPACES.map(namespace),
      services: apps
        .filter(({ hasService }) => hasService)
        .flatMap(({ of, name, ports, own, split }) => [
          service(of, name, { app: name }, ports),
          ...(split ? ['v1', 'v2'] : []).map((version) =>
            service(of, `${name}-${version}`, { app: name, version }, own ?? ports),
          ),
        ]),
      deployments: apps.flatMap(({ of, name, accounts }) =>
        ['v1', 'v2'].map((version, at) =>
          deployment(of, `${name}-${version}`, { app: name, version }, accounts[at] ?? ''),
        ),
      ),
      trafficSplits: apps.flatMap(({ of, name, split }) =>
        split
          ? [
              object('trafficSplits', of, name, {
                spec: {
                  service: name,
                  backends: split.map((weight, at) => ({ service: `${name}-v${at + 1}`, weight })),
                },
              }),
            ]
          : [],
      ),
      trafficTargets: targets.map(({ of, to, from, rules }, at) => trafficTarget(of, `target-${at}`, to, from, rules)),
      routeGroups: groups.map(([of, name, matches]) => routeGroup(of, name, matches)),
      tcpRoutes: tcp.map(([of, name, ports]) => object('tcpRoutes', of, name, { spec: { matches: { ports } } })),
    })
  })

const replacement: fc.Arbitrary<Replacement> = fc.record({
  routeGroup: fc.tuple(namespaceName, fc.constantFrom('g0', 'g0', 'g1')).map(([of, name]) => `${of}/${name}`),
  match: fc.constantFrom('m0', 'm1'),
  paths: fc.option(fc.subarray([...PATHS, '/a*', '/*', '/buy*'], { minLength: 1 }), { nil: undefined }),
})

const attempts = (objects: OsmObjects): readonly Attempt[] =>
  podsOf(objects).flatMap((pod) =>
    [...NAMESPACES.flatMap((of) => ACCOUNTS.map((name) => `${of}/${name}`)), undefined].flatMap((from) =>
      [8080, 8081, 9000, 15999].flatMap((port): Attempt[] => [
        ...(port === 9000 ? [{ from, ...pod, port }] : []),
        ...(port === 9000
          ? []
          : PATHS.flatMap((path) =>
              ['GET', 'POST', 'PURGE'].flatMap((method) =>
                [{}, { 'client-app': 'bookbuyer' }].map((headers) => ({
                  from,
                  ...pod,
                  port,
                  http: { method, path, headers },
                })),
              ),
            )),
      ]),
    ),
  )

test('nobody gets in who was refused, whatever SMI says, and whom no rule refuses any more is an error', () => {
  fc.assert(
    fc.property(cluster, fc.array(replacement, { maxLength: 2 }), (objects, replacements) => {
      const letsInBefore = letsInOf(objects)
      const { services, findings } = migrateOsm(objects, replacements)
      const isTold = findings.some(({ code, severity }) => code === 'PodsWithoutService' && severity === 'error')
      for (const attempt of attempts(objects)) {
        // Pods that no service stands for are open on Istio.
        const after = letsInAfter(services, attempt) ?? !isTold
        if (!after) continue
        if (!letsInBefore(attempt)) expect.fail(`widened: ${JSON.stringify(attempt)}`)
      }
    }),
    { numRuns: 300 },
  )
})

test('whoever does not get in any more is told of, and who is told of as the same gets in as before', () => {
  fc.assert(
    fc.property(cluster, (objects) => {
      const letsInBefore = letsInOf(objects)
      const { services, findings, callers } = migrateOsm(objects)
      const told = findings.some(({ severity, code }) => severity === 'error' || code === 'PathNarrowed')
      for (const attempt of attempts(objects)) {
        const after = letsInAfter(services, attempt)
        if (after === undefined || !letsInBefore(attempt) || after) continue
        if (!told) expect.fail(`not told: ${JSON.stringify(attempt)}`)
        const service = services.find(
          ({ namespace, spec }) => namespace === attempt.namespace && spec.workload?.labels.app === attempt.labels.app,
        )
        const change = callers.find(
          ({ from, to }) => from === attempt.from && to === `${service?.namespace}/${service?.name}`,
        )
        expect(change?.after).not.toBe('same')
      }
    }),
    { numRuns: 200 },
  )
})

test('the same in gives the same out, whatever the order of objects', () => {
  fc.assert(
    fc.property(cluster, (objects) => {
      const turned = Object.fromEntries(
        Object.entries(objects).map(([kind, list]) => [kind, [...list].reverse()]),
      ) as unknown as OsmObjects
      const [one, other] = [migrateOsm(objects), migrateOsm(turned)].map(({ services, callers }) =>
        canonicalJson({ services, callers }),
      )
      expect(one).toBe(other)
    }),
    { numRuns: 100 },
  )
})

test('each Pod of the mesh has a service, or is told of', () => {
  fc.assert(
    fc.property(cluster, (objects) => {
      const { services, findings } = migrateOsm(objects)
      const without = podsOf(objects).some(
        ({ namespace, labels }) =>
          !services.some(
            (one) =>
              one.namespace === namespace &&
              Object.entries(one.spec.workload?.labels ?? {}).every(([key, value]) => labels[key] === value),
          ),
      )
      expect(findings.some(({ code }) => code === 'PodsWithoutService')).toBe(without)
    }),
    { numRuns: 100 },
  )
})
