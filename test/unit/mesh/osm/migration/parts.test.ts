import { describe, expect, test } from 'vitest'
import { READ_KINDS } from '../../../../../src/mesh/osm/migration/kinds.ts'
import { migrateOsm } from '../../../../../src/mesh/osm/migration/migrate.ts'
import type { OsmObjects } from '../../../../../src/mesh/osm/migration/objects.ts'
import { deployment, meshConfig, object, routeGroup, service, trafficTarget } from './demo.ts'
import { ALL, codes, egress, retry, setting, shop, specOf, split } from './shop.ts'

test('a plain service needs no words', () => {
  expect(codes(shop())).toEqual([])
  expect(specOf(shop())?.security?.authorization?.allow).toEqual([
    { name: 'front', serviceAccounts: ['shop/front'], ports: ['http'] },
  ])
})

describe('what is not carried is told', () => {
  test.each<[string, Partial<OsmObjects>, readonly string[]]>([
    ['a kind that was not read', { unseen: ['No right to list.'] }, ['NotSeen']],
    [
      'an IngressBackend',
      {
        ingressBackends: [
          object('ingressBackends', 'shop', 'in', { spec: { backends: [{ name: 'web' }], sources: [] } }),
        ],
      },
      ['IngressNotCarried'],
    ],
    ['a Service without a selector', { services: [service('shop', 'out', undefined)] }, ['ServiceWithoutSelector']],
    ['a Service without Pods', { services: [service('shop', 'gone', { app: 'gone' })] }, ['ServiceWithoutPods']],
    [
      'Pods without a proxy',
      {
        services: [service('shop', 'raw', { app: 'raw' })],
        pods: [object('pods', 'shop', 'raw-1', { metadata: { labels: { app: 'raw' } }, spec: {} })],
      },
      ['NotInMesh'],
    ],
    [
      'some Pods without a proxy',
      { pods: [object('pods', 'shop', 'web-x', { metadata: { labels: { app: 'web', x: 'y' } }, spec: {} })] },
      ['PodsWithoutProxy'],
    ],
    [
      'Pods without a Service',
      { deployments: [deployment('shop', 'job', { app: 'job' }, 'job')] },
      ['PodsWithoutService'],
    ],
    [
      'a protocol that the mesh does not serve',
      {
        services: [
          service('shop', 'cache', { app: 'cache' }, [
            { name: 'redis', port: 6379, appProtocol: 'redis' },
            { name: 'http', port: 80 },
          ]),
        ],
        deployments: [deployment('shop', 'cache', { app: 'cache' }, 'cache')],
      },
      ['PortNotServed'],
    ],
    [
      'a target port that Pods do not name',
      {
        services: [
          service('shop', 'api', { app: 'api' }, [
            { name: 'web', port: 81, targetPort: 'web' },
            { name: 'http', port: 80 },
          ]),
        ],
        deployments: [deployment('shop', 'api', { app: 'api' }, 'api')],
      },
      ['PortUnknown'],
    ],
    [
      'a TrafficTarget without sources',
      { trafficTargets: [trafficTarget('shop', 'off', 'web', [], [ALL])] },
      ['NoSources'],
    ],
    [
      'a TrafficTarget of callers that there cannot be',
      { trafficTargets: [trafficTarget('shop', 'off', 'web', ['shop/UPPER'], [ALL])] },
      ['NotInForce'],
    ],
    [
      'a TrafficTarget without rules',
      { trafficTargets: [trafficTarget('shop', 'off', 'web', ['shop/x'], [])] },
      ['NotInForce'],
    ],
    [
      'a TrafficTarget with a TCPRoute that is not there',
      { trafficTargets: [trafficTarget('shop', 'off', 'web', ['shop/x'], [{ kind: 'TCPRoute', name: 'none' }])] },
      ['NotInForce'],
    ],
    [
      'a TrafficTarget with a route that is not there',
      {
        trafficTargets: [
          trafficTarget('shop', 'off', 'web', ['shop/x'], [{ kind: 'HTTPRouteGroup', name: 'all', matches: ['none'] }]),
        ],
      },
      ['NotInForce'],
    ],
    [
      'a split of a Service that is not there',
      { trafficSplits: [object('trafficSplits', 'shop', 's', { spec: { service: 'none', backends: [] } })] },
      ['SplitWithoutRoot'],
    ],
    [
      'a backend that the root does not select',
      {
        services: [service('shop', 'web-v2', { app: 'web-v2' })],
        deployments: [deployment('shop', 'web-v2', { app: 'web-v2' }, 'web')],
        trafficSplits: [split('web', { web: 90, 'web-v2': 10 })],
      },
      ['RootMissesVersion'],
    ],
    [
      'backends that select the same Pods, and one that is not there',
      {
        services: [service('shop', 'web-v1', { app: 'web' })],
        trafficSplits: [split('web', { web: 50, 'web-v1': 50, 'web-v2': 1 })],
      },
      ['BackendMissing', 'BackendOverlaps'],
    ],
    ['a second split', { trafficSplits: [split('web', { web: 1 }), split('web', { web: 2 }, 'z')] }, ['SplitTwice']],
    [
      'accounts that let in different callers',
      { deployments: [deployment('shop', 'web-b', { app: 'web', track: 'b' }, 'other')] },
      ['AccessDiffers'],
    ],
    [
      'limits without a place',
      {
        trafficSettings: [
          setting('web', {
            connectionSettings: { http: { maxRetries: 1 } },
            rateLimit: { local: {} },
            httpRoutes: [{}],
          }),
        ],
      },
      ['LimitNotCarried', 'LimitNotCarried', 'LimitNotCarried'],
    ],
    ['retries while they are off', { retries: [retry('shop/front', 'web')] }, ['NotInForce']],
    [
      'an Egress while everything may be reached',
      { egresses: [egress(['shop/web'], ['example.com'])] },
      ['NotInForce'],
    ],
    [
      'a Pod label that no rule can be bound by',
      {
        services: [service('shop', 'odd', { app: 'odd' }, [{ name: 'UPPER', port: 80 }])],
        deployments: [deployment('shop', 'odd', { app: 'odd' }, 'odd')],
      },
      ['PodsWithoutService', 'NameNotSayable'],
    ],
  ])('%s', (_, more, expected) => {
    expect(codes(shop(more))).toEqual(expected)
  })

  test.each(['Deployment', 'StatefulSet', 'DaemonSet'])(
    'a %s whose Pods are to run as another account than those that run',
    (kind) => {
      const metadata = { labels: { app: 'web', 'osm-proxy-uuid': 'x' } }
      const maker = { ...deployment('shop', 'web', { app: 'web' }, 'two'), kind }
      const objects = {
        ...shop({ pods: [object('pods', 'shop', 'web-1', { metadata, spec: { serviceAccountName: 'web' } })] }),
        deployments: [],
        [kind === 'Deployment' ? 'deployments' : kind === 'StatefulSet' ? 'statefulSets' : 'daemonSets']: [maker],
      }
      expect(codes(objects)).toEqual(['AccessDiffers'])
      expect(specOf(objects)?.security?.authorization?.allow).toEqual([])
    },
  )

  test.each(['statefulSets', 'daemonSets'] as const)('nothing of Pods that are yet to come: %s', (kind) => {
    const [one] = shop().deployments
    if (!one) throw new Error('no Deployment')
    const objects = { ...shop(), deployments: [], [kind]: [{ ...one, ...READ_KINDS[kind] }] }
    expect(codes(objects)).toEqual([])
    expect(specOf(objects)).toEqual(specOf(shop()))
  })

  test('an outside server that is asked whom to let in, and ports that go around the proxy', () => {
    const traffic = {
      enableEgress: true,
      inboundExternalAuthorization: { enable: true },
      inboundPortExclusionList: [9100],
    }
    expect(codes(shop({}, meshConfig(false, { traffic })))).toEqual(['ExternalAuthorization', 'PortsExcluded'])
  })

  test('ports of a Pod that go around its proxy', () => {
    const metadata = {
      labels: { app: 'web', 'osm-proxy-uuid': 'x' },
      annotations: { 'openservicemesh.io/inbound-port-exclusion-list': '9100' },
    }
    expect(
      codes(shop({ pods: [object('pods', 'shop', 'web-1', { metadata, spec: { serviceAccountName: 'web' } })] })),
    ).toEqual(['PortsExcluded'])
  })

  test.each([['Succeeded'], ['Failed']])('no Pod that has ended: %s', (phase) => {
    const metadata = { labels: { app: 'job', 'osm-proxy-uuid': 'x' } }
    expect(codes(shop({ pods: [object('pods', 'shop', 'job-1', { metadata, spec: {}, status: { phase } })] }))).toEqual(
      [],
    )
  })

  test('a mesh whose settings were not seen lets nobody in by default', () => {
    const migration = migrateOsm({ ...shop(), meshConfigs: [] })
    expect(migration.permissive).toBe(false)
    expect(migration.findings[0]?.code).toBe('NotSeen')
  })

  test('TrafficTargets in the permissive mode', () => {
    const objects = shop({}, meshConfig(true, { traffic: { enableEgress: true } }))
    expect(codes(objects)).toEqual(['NotInForce'])
    expect(specOf(objects)?.security).toEqual({
      mtls: 'strict',
      authorization: { allow: [{ name: 'mesh', ports: ['http'] }] },
    })
  })
})

test('nothing in a namespace that the mesh does not watch is looked at', () => {
  const objects = shop({
    services: [service('other', 'web', { app: 'web' })],
    deployments: [deployment('other', 'web', { app: 'web' }, 'web')],
    trafficTargets: [trafficTarget('other', 'any', 'web', ['shop/front'], [ALL])],
  })
  expect(migrateOsm(objects).services.map(({ namespace }) => namespace)).toEqual(['shop'])
})

test('a service without a TrafficTarget lets nobody in', () => {
  const objects = { ...shop(), trafficTargets: [] }
  expect(specOf(objects)?.security?.authorization).toEqual({ allow: [] })
})

test('a rule is for the ports that TCPRoutes name, and HTTP requests pass them too', () => {
  const ports = [
    { name: 'http', port: 80, targetPort: 8080 },
    { name: 'tcp-raw', port: 9000 },
  ]
  const base = shop({
    tcpRoutes: [object('tcpRoutes', 'shop', 'raw', { spec: { matches: { ports: [9000] } } })],
    trafficTargets: [trafficTarget('shop', 'raw', 'web', ['shop/pump'], [{ kind: 'TCPRoute', name: 'raw' }])],
  })
  const objects = { ...base, services: [service('shop', 'web', { app: 'web' }, ports)] }
  // A TrafficTarget without a TCPRoute says nothing of ports, and so lets its callers connect to all.
  expect(specOf(objects)?.security?.authorization?.allow).toEqual([
    { name: 'front', serviceAccounts: ['shop/front'], ports: ['http', 'tcp-raw'] },
    { name: 'pump', serviceAccounts: ['shop/pump'], ports: ['tcp-raw'] },
  ])
})

test('a TCPRoute that is not there shuts connections out, and not the matches beside it', () => {
  const objects = shop({
    trafficTargets: [
      trafficTarget(
        'shop',
        'half',
        'web',
        ['shop/front'],
        [
          { kind: 'TCPRoute', name: 'none' },
          { ...ALL, matches: ['more'] },
        ],
      ),
    ],
  })
  const routeGroups = [
    routeGroup('shop', 'all', [
      { name: 'all', pathRegex: '/a' },
      { name: 'more', pathRegex: '/b' },
    ]),
  ]
  expect(specOf({ ...objects, routeGroups })?.security?.authorization?.allow?.[0]?.paths).toEqual(['/a', '/b'])
})

test('callers, methods, paths and ports are joined, and more than a rule holds is another', () => {
  const from = Array.from({ length: 18 }, (_, at) => `shop/caller-${String(at).padStart(2, '0')}`)
  const objects = {
    ...shop(),
    routeGroups: [routeGroup('shop', 'all', [{ name: 'all', methods: ['GET', 'HEAD'], pathRegex: '/a|/b' }])],
    trafficTargets: [trafficTarget('shop', 'many', 'web', from, [ALL])],
  }
  const allow = specOf(objects)?.security?.authorization?.allow ?? []
  expect(allow.map(({ name, serviceAccounts }) => [name, serviceAccounts?.length])).toEqual([
    ['caller-00-and-others', 16],
    ['caller-16-and-others', 2],
  ])
  expect(allow[0]).toMatchObject({ methods: ['GET', 'HEAD'], paths: ['/a', '/b'], ports: ['http'] })
})

describe('a split', () => {
  const twoVersions = (weights: Readonly<Record<string, number>>) =>
    shop({
      services: ['v1', 'v2'].map((version) => service('shop', `web-${version}`, { app: 'web', version })),
      deployments: ['v1', 'v2'].map((version) => deployment('shop', `web-${version}`, { app: 'web', version }, 'web')),
      trafficSplits: [split('web', weights)],
    })

  test('all to one leaves its weights to rollouts', () => {
    const spec = specOf(twoVersions({ 'web-v1': 0, 'web-v2': 3 }))
    expect([Object.keys(spec?.versions ?? {}), spec?.initialVersion, spec?.traffic]).toEqual([
      ['v1', 'v2'],
      'v2',
      undefined,
    ])
  })

  test('weights become whole per cents', () => {
    const objects = twoVersions({ 'web-v1': 1, 'web-v2': 2 })
    expect(specOf(objects)?.traffic?.weights).toEqual({ v1: 33, v2: 67 })
    expect(codes(objects)).toContain('WeightsRounded')
  })

  test('a backend that the root does not select is a service of its own, as in the manual of Open Service Mesh', () => {
    const objects = shop({
      services: [service('shop', 'web-v2', { app: 'web-v2' }, [{ name: 'http', port: 80, targetPort: 8080 }])],
      deployments: [deployment('shop', 'web-v2', { app: 'web-v2' }, 'web')],
      trafficSplits: [split('web', { web: 50, 'web-v2': 50 })],
    })
    expect(
      migrateOsm(objects).services.map(({ name, spec }) => [name, Object.keys(spec.versions), spec.traffic]),
    ).toEqual([
      ['web', ['web'], undefined],
      ['web-v2', ['v1'], undefined],
    ])
    expect(specOf(objects, 'web-v2')?.security).toEqual(specOf(objects)?.security)
  })

  test('a port that only a backend serves is told: no rule lets anybody in there', () => {
    const objects = twoVersions({ 'web-v1': 1, 'web-v2': 1 })
    const [root, ...backends] = objects.services
    const more = [
      { name: 'http', port: 80, targetPort: 8080 },
      { name: 'tcp-admin', port: 9091 },
    ]
    const served = backends.map(({ metadata }, at) =>
      service('shop', metadata.name, { app: 'web', version: `v${at + 1}` }, at === 0 ? more : more.slice(0, 1)),
    )
    const { findings } = migrateOsm({ ...objects, services: root ? [root, ...served] : served })
    const told = findings.find(({ code }) => code === 'PortNotCarried')
    expect([told?.severity, told?.message]).toEqual([
      'error',
      'Service shop/web-v1 serves tcp-admin (9091), and Service shop/web does not.',
    ])
  })

  test('its backends are no services of their own', () => {
    expect(migrateOsm(twoVersions({ 'web-v1': 1, 'web-v2': 1 })).services.map(({ name }) => name)).toEqual(['web'])
  })
})
