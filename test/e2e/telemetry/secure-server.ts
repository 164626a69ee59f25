import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Emulator } from '../../../src/sandbox/emulators/emulator.ts'
import { generateKey } from '../../../src/sandbox/emulators/key-vault/keys.ts'
import { pem } from '../../../src/sandbox/emulators/key-vault/pem.ts'
import { selfSigned } from '../../../src/sandbox/emulators/key-vault/x509.ts'

/** An emulator behind TLS on `localhost`, as SDKs that refuse plain HTTP ask for. `certificate` is to be trusted. */
export async function serveSecurely(emulator: Emulator): Promise<{
  readonly host: string
  readonly certificate: string
  close(): void
}> {
  const made = await generateKey({ kty: 'EC', curve: 'P-256' })
  const content = {
    subject: 'CN=localhost',
    names: { dnsNames: ['localhost'] },
    ekus: [],
    keyUsage: ['digitalSignature'],
  }
  const validity = { notBefore: Date.now() - 60_000, notAfter: Date.now() + 3_600_000, serial: '00ab12' }
  const certificate = pem('CERTIFICATE', await selfSigned(made, content, validity))
  const server = createServer({ key: pem('PRIVATE KEY', made.pkcs8), cert: certificate }, async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const url = new URL(request.url ?? '/', `https://${request.headers.host}`)
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]))
    const answer = await emulator({ method: request.method ?? '', url, headers, body: Buffer.concat(chunks) })
    response.writeHead(answer.status, answer.headers).end(answer.body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    host: `localhost:${(server.address() as AddressInfo).port}`,
    certificate,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}
