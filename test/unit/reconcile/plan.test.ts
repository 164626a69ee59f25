import { beforeEach, describe, expect, it } from 'vitest'
import type { KubeObject } from '../../../src/model/kube.ts'
import { serviceSpec } from '../../../src/model/service.ts'
import { PortError } from '../../../src/ports/port-error.ts'
import { planPlacement } from '../../../src/reconcile/plan.ts'
import { clusterDocument, foreignRoute, serviceDocument, World } from './world.ts'

let world: World
beforeEach(() => {
  world = new World()
  world.cluster.edit('kubectl', kubeService(80))
  world.cluster.forget()
})

function kubeService(port: number, selector: Readonly<Record<string, string>> = { app: 'web' }): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'shop' },
    spec: { ports: [{ port }], selector },
  }
}

const plan = (change: Parameters<typeof serviceDocument>[0] = {}) =>
  planPlacement(world.deps, serviceDocument(change), 'east')

const linted = (change: Parameters<typeof serviceDocument>[0] = {}) =>
  planPlacement(world.deps, serviceDocument(change), 'east', { lint: true })

describe('a plan', () => {
  it('of a new service creates both objects and writes nothing', async () => {
    const { changes, findings, blocked } = await plan()
    expect(changes.map(({ ref, action }) => [ref.kind, action])).toEqual([
      ['DestinationRule', 'create'],
      ['VirtualService', 'create'],
    ])
    expect([findings, blocked]).toEqual([[], undefined])
    expect(world.cluster.log.filter((request) => request.startsWith('apply'))).toEqual([])
    expect(world.cluster.peek('VirtualService', 'web')).toBeUndefined()
    expect(world.store.peek('placement', 'shop/web/east')).toBeUndefined()
  })

  it('of what is there changes nothing', async () => {
    await world.settle()
    expect((await plan()).changes.map(({ action }) => action)).toEqual(['none', 'none'])
  })

  it('shows each field that would change, from and to', async () => {
    await world.settle()
    const spec = serviceSpec.parse({ ...serviceDocument().spec, hosts: ['web.example.com'] })
    const { changes } = await plan({ spec, renderRevision: 101 })
    const own = ['web.shop.svc.cluster.local']
    expect(changes[1]?.diff).toEqual([{ path: 'spec.hosts', from: own, to: [...own, 'web.example.com'] }])
  })

  it('says what would be removed', async () => {
    await world.settle()
    const { changes } = await plan({ targets: {} })
    expect(changes.map(({ action }) => action)).toEqual(['delete', 'delete'])
  })

  it('is blocked by a hold, a freeze or a conflict, and says by which', async () => {
    world.cluster.edit('kubectl-create', foreignRoute('other'))
    expect((await plan()).blocked).toMatchObject({ reason: 'OwnedByOthers' })
    world.freeze({ reason: 'holidays', scope: {}, covers: ['configuration'] })
    expect((await plan()).blocked).toMatchObject({ reason: 'FreezeActive' })
    world.annotate('Namespace', 'shop', { 'meshwright.io/hold': 'true' })
    expect((await plan()).blocked).toMatchObject({ reason: 'NamespaceHeld' })
  })

  it('with adopt shows what it would take away', async () => {
    world.cluster.edit('kubectl-create', foreignRoute('other'))
    const spec = serviceSpec.parse({ ...serviceDocument().spec, adopt: true })
    const { changes, blocked } = await plan({ spec })
    expect(blocked).toBeUndefined()
    expect(changes.find(({ action }) => action === 'delete')?.ref.name).toBe('other')
  })

  it("gives the server's own words", async () => {
    world.cluster.before = (request) => {
      if (request === 'dryRun VirtualService') throw new PortError('invalid', 'Kubernetes', 'spec.http: bad duration')
    }
    expect((await plan()).findings).toMatchObject([{ code: 'Rejected', message: 'spec.http: bad duration' }])
  })

  it('is blocked, not failed, where the cluster or its mesh cannot be had', async () => {
    expect((await planPlacement(world.deps, serviceDocument(), 'west')).blocked?.reason).toBe('ClusterUnknown')
    world.store.put(clusterDocument({ mesh: { provider: 'linkerd' } }))
    expect((await plan()).blocked?.reason).toBe('InvalidCombination')
    world.store.put(clusterDocument())
    world.cluster.before = () => {
      throw new PortError('unavailable', 'Kubernetes', 'no answer')
    }
    expect((await plan()).blocked).toEqual({ reason: 'Unreachable', message: 'no answer' })
  })
})

describe('findings of a plan', () => {
  const codes = async (change: Parameters<typeof serviceDocument>[0] = {}) =>
    (await plan(change)).findings.map(({ code, field }) => (field === undefined ? code : `${code} ${field}`))

  it('name a version of the route without endpoints', async () => {
    world.setPods({ v2: 1 })
    expect(await codes()).toEqual(['VersionWithoutEndpoints /versions/v1/labels'])
  })

  it('name a missing Service, port or namespace', async () => {
    world.cluster.edit('kubectl', kubeService(8080))
    expect(await codes()).toEqual(['PortMissing /ports/0/port'])
    world.cluster.objects.delete('v1/Service/shop/web')
    expect(await codes()).toEqual(['ServiceMissing'])
    world.cluster.objects.delete('v1/Namespace//shop')
    expect(await codes()).toEqual(['NamespaceMissing'])
  })

  it('name a Service that selects one version alone', async () => {
    world.cluster.edit('kubectl', kubeService(80, { app: 'web', version: 'v1' }))
    expect(await codes()).toEqual(['SelectorExcludes /versions/v2/labels'])
  })

  it('name versions that one Pod could have both', async () => {
    const versions = { v1: { labels: { version: 'v1' } }, v2: { labels: { track: 'canary' } } }
    const spec = serviceSpec.parse({ ...serviceDocument().spec, versions })
    expect(await codes({ spec })).toEqual(['SelectorOverlap /versions/v2/labels'])
  })
})

describe('a plan with lint', () => {
  const codes = async (spec: Readonly<Record<string, unknown>> = {}) => {
    const { findings } = await linted({ spec: serviceSpec.parse({ ...serviceDocument().spec, ...spec }) })
    return findings.map(({ code, object }) => (object === undefined ? code : `${code} ${object}`))
  }
  const callers = {
    workload: { labels: { app: 'web' } },
    security: { authorization: { allow: [{ name: 'a', serviceAccounts: ['shop/bff', 'gone/x'] }] } },
  }

  it('reads Pods once more, and nothing else where the service names no callers', async () => {
    await plan()
    const without = world.cluster.forget()
    expect(await codes()).toEqual(['PortNameUnclear Service shop/web'])
    expect(world.cluster.forget()).toEqual([...without, 'listMetadata Pod'])
  })

  it('finds callers that are not there, and says what it may not list', async () => {
    const lacking = ['ServiceAccountMissing ServiceAccount shop/bff', 'CallerNamespaceMissing Namespace gone']
    const found = await codes(callers)
    expect(found).toEqual(expect.arrayContaining(lacking))
    world.cluster.edit('kubectl', {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'bff', namespace: 'shop' },
    })
    expect(await codes(callers)).not.toContain(lacking[0])
    world.cluster.before = (request) => {
      if (request === 'listMetadata ServiceAccount') throw new PortError('denied', 'Kubernetes', 'forbidden')
    }
    const findings = (await linted({ spec: serviceSpec.parse({ ...serviceDocument().spec, ...callers }) })).findings
    expect(findings.filter(({ code }) => code === 'NotSeen').map(({ severity }) => severity)).toEqual(['info', 'info'])
  })

  it('names each object of others that stands in the way, and none that is taken over', async () => {
    world.cluster.edit('kubectl-create', foreignRoute('other'))
    world.cluster.edit('kubectl-create', foreignRoute('web'))
    expect(await codes()).toEqual(
      expect.arrayContaining(['HostClaimed VirtualService shop/other', 'HostClaimed VirtualService shop/web']),
    )
    expect((await codes({ adopt: true })).filter((code) => code.startsWith('HostClaimed'))).toEqual([])
  })

  it('that cannot be made has an error', async () => {
    world.cluster.before = () => {
      throw new PortError('unavailable', 'Kubernetes', 'no answer')
    }
    expect((await linted()).findings).toMatchObject([{ code: 'NotPlanned', severity: 'error', message: 'no answer' }])
  })
})
