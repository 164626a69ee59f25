import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { kubernetesClusters } from '../../../src/adapters/kubernetes/cluster-apis.ts'
import { systemClock } from '../../../src/adapters/system-clock.ts'
import { clusterSpec } from '../../../src/model/cluster.ts'
import { kubeconfigText } from '../../contract/cluster-api/kubeconfig-text.ts'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections()
})

async function started(listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

function connect(url: string) {
  const clusters = kubernetesClusters({ kubeconfig: { text: kubeconfigText(url, 'a-token', true) } }, systemClock())
  return clusters.connect({ name: 'east', spec: clusterSpec.parse({ kubeconfig: { context: 'east' } }) })
}

const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'a' }

describe('requests over sockets', () => {
  it('follow no redirect, and so send the token nowhere else', async () => {
    let elsewhere = 0
    const other = await started((_, response) => {
      elsewhere += 1
      response.end('{}')
    })
    const { url } = await started((_, response) => response.writeHead(307, { location: other.url }).end())
    await expect((await connect(url)).get(ref)).rejects.toMatchObject({ kind: 'unavailable', reason: 'Redirect' })
    expect(elsewhere).toBe(0)
  })

  it('say how long their body is', async () => {
    const seen: [string | undefined, string | undefined, string][] = []
    const { url } = await started(async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk)
      seen.push([request.method, request.headers['content-length'], Buffer.concat(chunks).toString()])
      response.end('{}')
    })
    await (await connect(url)).remove(ref, 'an-uid-ä')
    const [method, length, body] = seen[0] ?? []
    expect(method).toBe('DELETE')
    expect(JSON.parse(body ?? '')).toMatchObject({ preconditions: { uid: 'an-uid-ä' } })
    expect(Number(length)).toBe(Buffer.byteLength(body ?? ''))
  })

  it('share a connection', async () => {
    let connections = 0
    const { server, url } = await started((_, response) => response.end('{}'))
    server.on('connection', () => {
      connections += 1
    })
    const api = await connect(url)
    for (let count = 0; count < 5; count += 1) await api.get(ref)
    expect(connections).toBe(1)
  })

  it('stop reading an answer that does not end', async () => {
    let sent = 0
    const { url } = await started((_, response) => {
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(1024 * 1024))) sent += 1
      }
      response.on('drain', more)
      more()
    })
    const api = await connect(url)
    await expect(api.apply({ ...ref, metadata: ref }, { force: false })).rejects.toMatchObject({ reason: 'TooLarge' })
    expect(sent).toBeLessThan(64)
  })
})
