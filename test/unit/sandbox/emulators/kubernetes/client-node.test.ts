import {
  CoreV1Api,
  CustomObjectsApi,
  createConfiguration,
  ServerConfiguration,
  VersionApi,
} from '@kubernetes/client-node'
import { describe, expect, it } from 'vitest'
import { kubernetesTransport } from '../../../../../src/sandbox/transports/kubernetes-transport.ts'
import { fixture, routeObject } from './fixture.ts'

/** The real client in process: its requests, its reading of answers and of errors. */
function clients() {
  const { emulator } = fixture()
  const configuration = createConfiguration({
    baseServer: new ServerConfiguration('https://emulated', {}),
    httpApi: kubernetesTransport(async (request) =>
      emulator.handle({ ...request, headers: { ...request.headers, authorization: 'Bearer secret' } }),
    ),
  })
  return {
    core: new CoreV1Api(configuration),
    custom: new CustomObjectsApi(configuration),
    version: new VersionApi(configuration),
  }
}

const web = { group: 'networking.istio.io', version: 'v1', namespace: 'shop', plural: 'virtualservices', name: 'web' }

describe('@kubernetes/client-node on the emulator', () => {
  it('reads versions, lists and objects', async () => {
    const { core, custom, version } = clients()
    expect((await version.getCode()).gitVersion).toMatch(/^v1\./)
    const namespaces = await core.listNamespace()
    expect(namespaces.items.map((item) => item.metadata?.name)).toEqual(['default', 'kube-system', 'shop'])
    expect(namespaces.items[0]?.metadata?.creationTimestamp).toBeInstanceOf(Date)
    await custom.createNamespacedCustomObject({ ...web, body: routeObject('web') })
    expect(await custom.getNamespacedCustomObject(web)).toMatchObject({ spec: { hosts: ['web'] } })
  })

  it('gives refusals as its own exceptions with the code of the Status', async () => {
    const { core, custom } = clients()
    await expect(custom.getNamespacedCustomObject(web)).rejects.toMatchObject({ code: 404 })
    const secret = { metadata: { name: 'Not_A_Name' } }
    await expect(core.createNamespacedSecret({ namespace: 'shop', body: secret })).rejects.toMatchObject({ code: 422 })
  })
})
