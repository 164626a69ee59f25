import { X509Certificate } from 'node:crypto'
import { createServer as createPlainServer, type Server as PlainServer, type Socket } from 'node:net'
import { createServer, type Server, type TlsOptions } from 'node:tls'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { podAddresses } from '../../../src/adapters/outside-address.ts'
import { tlsPodHandshakes } from '../../../src/adapters/pod-handshake.ts'
import { testSigner } from '../fakes/test-leaf.ts'

const ANY = { refusal: async () => undefined }
const servers: (Server | PlainServer)[] = []
const sockets: Socket[] = []

let own: { readonly cert: string; readonly key: string; readonly ca: string }
beforeAll(async () => {
  const signer = await testSigner('intermediate', '0a')
  own = { ...(await signer.leaf('spiffe://cluster.local/ns/shop/sa/web')), ca: signer.caCert }
})

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))))
})

async function listen(server: Server | PlainServer): Promise<number> {
  servers.push(server)
  server.on('connection', (socket: Socket) => {
    sockets.push(socket)
    socket.on('error', () => undefined)
  })
  server.on('tlsClientError', () => undefined)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

function proxy(options: TlsOptions = {}): Server {
  return createServer({ ...own, requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.3', ...options })
}

describe('a handshake with a proxy', () => {
  it('gives the leaf that it shows before it asks for ours, which we have not', async () => {
    const alpn = Promise.withResolvers<readonly string[]>()
    const port = await listen(
      proxy({
        ALPNCallback: ({ protocols }) => {
          alpn.resolve(protocols)
          return 'istio'
        },
      }),
    )
    const leaf = await tlsPodHandshakes(ANY).leaf('127.0.0.1', port)
    expect(new X509Certificate(leaf ?? '').raw).toEqual(new X509Certificate(own.cert).raw)
    expect(await alpn.promise).toContain('istio')
  })

  it('gives none where nobody listens, and where no TLS is spoken, or an older one', async () => {
    const handshakes = tlsPodHandshakes(ANY)
    const plain = await listen(createPlainServer((socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')))
    expect(await handshakes.leaf('127.0.0.1', plain)).toBeUndefined()
    const old = await listen(proxy({ minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }))
    expect(await handshakes.leaf('127.0.0.1', old)).toBeUndefined()
    expect(await handshakes.leaf('127.0.0.1', 1)).toBeUndefined()
  })

  it('is not made with a name, with no port, or with what the policy refuses', async () => {
    const asked: string[] = []
    let connected = 0
    const port = await listen(
      createPlainServer(() => {
        connected += 1
      }),
    )
    const refusal = async (url: string) => {
      asked.push(url)
      return 'no'
    }
    const handshakes = tlsPodHandshakes({ refusal })
    for (const [host, at] of [
      ['localhost', port],
      ['127.0.0.1', 0],
      ['127.0.0.1', 65_536],
      ['127.0.0.1', 1.5],
    ] as const)
      expect(await handshakes.leaf(host, at)).toBeUndefined()
    expect(asked).toEqual([])
    expect(await handshakes.leaf('127.0.0.1', port)).toBeUndefined()
    expect(await handshakes.leaf('fd00::1', port)).toBeUndefined()
    expect(asked).toEqual([`https://127.0.0.1:${port}/`, `https://[fd00::1]:${port}/`])
    expect(connected).toBe(0)
  })
})

describe('the addresses of Pods', () => {
  const asked = (host: string, scheme = 'https') => podAddresses().refusal(`${scheme}://${host}:8080/`)
  it.each(['10.244.1.7', '172.16.0.9', '192.168.4.4', '100.64.0.3', '[fd12:3456::7]', '[::ffff:10.0.0.1]'])(
    '%s may be called',
    async (host) => {
      expect(await asked(host)).toBeUndefined()
    },
  )
  it.each([
    '127.0.0.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '169.254.169.254',
    '[::ffff:169.254.169.254]',
    '[fe80::1]',
    '[fd00:ec2::254]',
    '168.63.129.16',
    '100.100.100.200',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '8.8.8.8',
    '[2001:db8::1]',
    '[64:ff9b::a00:1]',
    'localhost',
    'web.shop.svc.cluster.local',
    '10.0.0.1.example.com',
  ])('%s may not', async (host) => {
    expect(await asked(host)).toEqual(expect.stringContaining('it'))
  })
  it('are called by TLS alone', async () => {
    expect(await asked('10.244.1.7', 'http')).toBeDefined()
    expect(await podAddresses().refusal('nonsense')).toBeDefined()
  })
})
