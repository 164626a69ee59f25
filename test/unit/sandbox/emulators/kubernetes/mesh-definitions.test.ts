import { describe, expect, it } from 'vitest'
import { consulDefinitions, runConsul } from '../../../../../src/sandbox/emulators/kubernetes/consul-definitions.ts'
import { osmDefinitions } from '../../../../../src/sandbox/emulators/kubernetes/osm-definitions.ts'
import { fixture } from './fixture.ts'

const consul = '/apis/consul.hashicorp.com/v1alpha1/namespaces/shop'
const splitter = (weight: number) => ({
  apiVersion: 'consul.hashicorp.com/v1alpha1',
  kind: 'ServiceSplitter',
  metadata: { name: 'web' },
  spec: { splits: [{ weight, serviceSubset: 'v1' }] },
})

describe('Consul on an emulated cluster', () => {
  it('says when it took each change, and raises no generation by that', async () => {
    const { emulator, apply, get, pass } = fixture()
    emulator.seed(consulDefinitions())
    const words: string[] = []
    runConsul(
      emulator,
      () => 1_700_000_000_000,
      () => words[0],
    )
    await apply(`${consul}/servicesplitters/web`, splitter(100))
    const first = await get(`${consul}/servicesplitters/web`)
    expect(first.body).toMatchObject({
      metadata: { generation: 1 },
      status: { conditions: [{ type: 'Synced', status: 'True' }], lastSyncedTime: '2023-11-14T22:13:20Z' },
    })
    pass(1000)
    words.push('no such subset')
    await apply(`${consul}/servicesplitters/web`, splitter(50))
    expect((await get(`${consul}/servicesplitters/web`)).body).toMatchObject({
      metadata: { generation: 2 },
      status: {
        conditions: [{ status: 'False', reason: 'ConsulAgentError', message: 'no such subset' }],
        lastSyncedTime: '2023-11-14T22:13:20Z',
      },
    })
  })
})

describe('Open Service Mesh on an emulated cluster', () => {
  it('serves the versions that AKS has, and no others', async () => {
    const { emulator, get } = fixture()
    emulator.seed(osmDefinitions())
    const at = (version: string) => get(`/apis/split.smi-spec.io/${version}/namespaces/shop/trafficsplits`)
    expect((await at('v1alpha2')).status).toBe(200)
    expect((await at('v1alpha4')).status).toBe(404)
  })
})
