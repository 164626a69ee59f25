import { createServer as createPlainServer, type Server as PlainServer, type Socket } from 'node:net'
import { createServer, type Server } from 'node:tls'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { tlsHandshakes } from '../../../src/adapters/tls-handshake.ts'
import { generateKey } from '../../../src/sandbox/emulators/key-vault/keys.ts'
import { pem } from '../../../src/sandbox/emulators/key-vault/pem.ts'
import { selfSigned } from '../../../src/sandbox/emulators/key-vault/x509.ts'

const ANY = { refusal: async () => undefined }
const NOT_AFTER = Date.UTC(2020, 0, 1)

let key: string
let cert: string
const servers: (Server | PlainServer)[] = []
const sockets: Socket[] = []

beforeAll(async () => {
  const made = await generateKey({ kty: 'EC', curve: 'P-256' })
  const names = { dnsNames: ['web.example.com'] }
  const content = { subject: 'CN=web.example.com', names, ekus: [], keyUsage: ['digitalSignature'] }
  // Expired, and of nobody's trust: it is looked at all the same.
  const validity = { notBefore: NOT_AFTER - 86_400_000, notAfter: NOT_AFTER, serial: '00ab12' }
  key = pem('PRIVATE KEY', made.pkcs8)
  cert = pem('CERTIFICATE', await selfSigned(made, content, validity))
})

afterEach(closeAll)

async function closeAll(): Promise<void> {
  for (const socket of sockets.splice(0)) socket.destroy()
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))))
}

async function listen(server: Server | PlainServer): Promise<number> {
  servers.push(server)
  server.on('connection', (socket: Socket) => {
    sockets.push(socket)
    socket.on('error', () => undefined)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

describe('a look at what a server shows', () => {
  it('tells serial and end of its certificate, trusted or not, by the name that is asked for; and sends nothing', async () => {
    let received = 0
    const over = Promise.withResolvers<string | false | null>()
    const server = createServer({ key, cert }, (socket) => {
      socket.on('data', (chunk) => {
        received += chunk.length
      })
      socket.on('end', () => over.resolve(socket.servername))
    })
    const port = await listen(server)
    const shown = await tlsHandshakes(ANY).look('127.0.0.1', port, 'web.example.com')
    expect(shown).toEqual({ serial: 'ab12', notAfter: '2020-01-01T00:00:00.000Z' })
    expect(await over.promise).toBe('web.example.com')
    expect(received).toBe(0)
  })

  it('is none where nobody listens, and where no TLS is spoken', async () => {
    const plain = createPlainServer((socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    const port = await listen(plain)
    expect(await tlsHandshakes(ANY).look('127.0.0.1', port, 'web.example.com')).toBeUndefined()
    await closeAll()
    expect(await tlsHandshakes(ANY).look('127.0.0.1', port, 'web.example.com')).toBeUndefined()
  })

  it('is none where the server has nothing for the name', async () => {
    const port = await listen(createServer({ SNICallback: (_, answer) => answer(new Error('unknown')) }))
    expect(await tlsHandshakes(ANY).look('127.0.0.1', port, 'other.example.com')).toBeUndefined()
  })

  it('asks the policy first, and calls nobody that may not be called', async () => {
    const asked: string[] = []
    let connected = 0
    const port = await listen(
      createPlainServer(() => {
        connected += 1
      }),
    )
    const addresses = {
      refusal: async (url: string) => {
        asked.push(url)
        return 'no'
      },
    }
    const handshakes = tlsHandshakes(addresses)
    expect(await handshakes.look('127.0.0.1', port, 'web.example.com')).toBeUndefined()
    expect(await handshakes.look('::1', 443, 'web.example.com')).toBeUndefined()
    expect(await handshakes.look('a b', 443, 'web.example.com')).toBeUndefined()
    expect(await handshakes.look('allowed.example.com/.elsewhere.com', 443, 'web.example.com')).toBeUndefined()
    expect(asked).toEqual([`https://127.0.0.1:${port}/`, 'https://[::1]:443/'])
    expect(connected).toBe(0)
  })
})
