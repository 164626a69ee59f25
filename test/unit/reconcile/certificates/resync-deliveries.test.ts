import { beforeEach, describe, expect, it } from 'vitest'
import { PortError } from '../../../../src/ports/port-error.ts'
import { resyncCluster } from '../../../../src/reconcile/resync-cluster.ts'
import { CertificateWorld, SECRET } from './certificate-world.ts'

let world: CertificateWorld
beforeEach(async () => {
  world = new CertificateWorld()
  await world.want()
  await world.deliver()
  world.later(1000)
  world.cluster.forget()
})

function lists(): readonly string[] {
  return world.cluster.forget().filter((request) => /Secret|Deployment/.test(request))
}

describe('a resync of a cluster with certificates', () => {
  it('costs one list where nothing changed, whatever their number, and asks for nothing', async () => {
    for (let index = 0; index < 500; index += 1) {
      const live = world.cluster.edit('meshwright', {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: {
          name: `s${index}`,
          namespace: 'gateways',
          labels: { 'app.kubernetes.io/managed-by': 'meshwright' },
        },
      })
      const { uid = '', resourceVersion = '' } = live.metadata
      const entry = { apiVersion: 'v1', kind: 'Secret', namespace: 'gateways', name: `s${index}`, uid, resourceVersion }
      world.store.put({ ...world.delivery, certificate: `c${index}`, objects: [entry] })
    }
    const { writes } = world.store
    await resyncCluster(world.deps, 'east')
    expect(lists()).toEqual(['listMetadata Secret'])
    expect(world.store.writes).toBe(writes)
  })

  it('that may not list Secrets compares services all the same, and has the delivery tell of it', async () => {
    const { listMetadata } = world.cluster
    world.cluster.listMetadata = async (kind, options) => {
      if (kind.kind === 'Secret') throw new PortError('denied', 'Kubernetes', 'secrets is forbidden')
      return listMetadata.call(world.cluster, kind, options)
    }
    await resyncCluster(world.deps, 'east')
    expect(world.work()).toEqual(['work deliver'])
  })

  it('asks nothing about a cluster without certificates', async () => {
    world.store.documents.delete('delivery web-tls/east')
    await resyncCluster(world.deps, 'east')
    expect(lists()).toEqual([])
  })

  it.each(['touched', 'removed', 'stripped of our label'])(
    'asks for a delivery where the Secret was %s',
    async (how) => {
      const key = `v1/Secret/gateways/${SECRET}`
      if (how === 'removed') world.cluster.objects.delete(key)
      else {
        world.cluster.change('kubectl', 'Secret', SECRET, (object) => ({
          ...object,
          metadata: { ...object.metadata, ...(how === 'touched' ? {} : { labels: {} }) },
        }))
      }
      await resyncCluster(world.deps, 'east')
      expect(world.work()).toEqual(['work deliver'])
      world.later(1000)
      await world.deliver()
      expect(world.delivery.state).toBe('delivered')
      expect(world.secret?.metadata.labels).toEqual({ 'app.kubernetes.io/managed-by': 'meshwright' })
      world.later(1000)
      await resyncCluster(world.deps, 'east')
      expect(world.work()).toEqual([])
    },
  )
})
