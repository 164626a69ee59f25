import { once } from 'node:events'
import { createServer, get, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import type { ProgrammingModel } from '../../../../src/sandbox/host/core-types.ts'
import { openLibraryProxy } from '../../../../src/sandbox/host/library-proxy.ts'

/** A library that opens a server for streaming, as `@azure/functions` does; tells the port of each request's client. */
function streamingLibrary(ports: unknown[]): ProgrammingModel {
  return {
    name: 'test',
    version: '1',
    async getCapabilities() {
      const server = createServer((request, response) => {
        ports.push(request.socket.remotePort)
        response.end('done')
      })
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      return { HttpUri: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` }
    },
  } as unknown as ProgrammingModel
}

it('no request is sent on a connection that the library may be about to close', async () => {
  const ports: unknown[] = []
  const proxy = await openLibraryProxy(streamingLibrary(ports))
  if (!proxy) throw new Error('the library offers no server')
  onTestFinished(() => proxy.close())
  for (let call = 0; call < 3; call += 1) {
    const [response] = (await once(get(proxy.target, { agent: proxy.agent }), 'response')) as [IncomingMessage]
    await response.resume().toArray()
  }
  expect(new Set(ports).size).toBe(3)
})
