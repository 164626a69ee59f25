import { expect, test } from 'vitest'
import { findOsmController, readOsm } from '../../../src/clusters/read-osm.ts'
import type { ClusterApi } from '../../../src/ports/cluster-api.ts'
import { PortError } from '../../../src/ports/port-error.ts'
import { demo } from '../mesh/osm/migration/demo.ts'

/** Answers lists from the demo, and remembers what was asked. */
function cluster(failures: Readonly<Record<string, PortError>> = {}) {
  const asked: string[] = []
  const objects = Object.values(demo()).flat()
  const list: ClusterApi['list'] = async ({ kind }, { namespace } = {}) => {
    asked.push(namespace === undefined ? kind : `${kind} of ${namespace}`)
    const failure = failures[kind]
    if (failure) throw failure
    return objects.filter(
      (one) => typeof one === 'object' && one.kind === kind && (!namespace || one.metadata.namespace === namespace),
    ) as Awaited<ReturnType<ClusterApi['list']>>
  }
  return { asked, api: { list } as unknown as ClusterApi }
}

test('everything is read, Pods and what makes them in watched namespaces alone', async () => {
  const { api, asked } = cluster()
  const { unseen, meshConfigs, ...read } = await readOsm(api)
  const { unseen: _, meshConfigs: configs, ...all } = demo()
  expect(unseen).toEqual([])
  expect(meshConfigs).toEqual(configs)
  for (const kind of Object.keys(all) as (keyof typeof all)[]) expect(read[kind]).toHaveLength(all[kind].length)
  for (const kind of ['Pod', 'Deployment', 'StatefulSet', 'DaemonSet'])
    expect(asked.filter((one) => one.startsWith(kind))).toEqual(
      ['bookbuyer', 'bookstore', 'bookthief', 'bookwarehouse'].map((one) => `${kind} of ${one}`),
    )
})

test('a kind that is not there is empty, one that may not be read is told once', async () => {
  const { api } = cluster({
    Retry: new PortError('not-found', 'Kubernetes', 'no such kind', { reason: 'UnknownKind' }),
    Pod: new PortError('denied', 'Kubernetes', 'forbidden'),
  })
  const { unseen, retries, pods } = await readOsm(api)
  expect([retries, pods]).toEqual([[], []])
  expect(unseen).toEqual(['Pod may not be listed: forbidden'])
})

test.each<[string, Readonly<Record<string, PortError>>, string]>([
  ['gone', {}, 'gone'],
  ['gone where there are no Deployments', { Deployment: new PortError('not-found', 'Kubernetes', 'none') }, 'gone'],
  ['unseen where that may not be listed', { Deployment: new PortError('denied', 'Kubernetes', 'no') }, 'unseen'],
])('the controller is %s', async (_, failures, expected) => {
  const list: ClusterApi['list'] = async ({ kind }) => {
    if (failures[kind]) throw failures[kind]
    return []
  }
  expect(await findOsmController({ list } as unknown as ClusterApi)).toBe(expected)
})

test('the controller is there', async () => {
  expect(await findOsmController(cluster().api)).toBe('there')
})

test('a cluster that does not answer is no empty one', async () => {
  const { api } = cluster({ Egress: new PortError('unavailable', 'Kubernetes', 'connection refused') })
  await expect(readOsm(api)).rejects.toThrow('connection refused')
})
