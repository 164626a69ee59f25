import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { createServer as createPlainServer, type Server as PlainServer, type Socket } from 'node:net'
import { Webhook } from 'standardwebhooks'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { guardedFetch } from '../../../src/adapters/guarded-fetch.ts'
import { type Lookup, outsideAddresses } from '../../../src/adapters/outside-address.ts'
import { systemClock } from '../../../src/adapters/system-clock.ts'
import { webhookCaller } from '../../../src/adapters/webhook-caller.ts'
import { signatureHeaders, signingKeys } from '../../../src/adapters/webhook-signature.ts'
import type { Clock } from '../../../src/ports/clock.ts'
import { PortError } from '../../../src/ports/port-error.ts'
import type { WebhookAnswer, WebhookRequest } from '../../../src/ports/webhooks.ts'
import { generateKey } from '../../../src/sandbox/emulators/key-vault/keys.ts'
import { pem } from '../../../src/sandbox/emulators/key-vault/pem.ts'
import { selfSigned } from '../../../src/sandbox/emulators/key-vault/x509.ts'
import { virtualClock } from './virtual-clock.ts'

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const BODY = { type: 'rollout.step', data: { service: 'shop/web', note: 'ä € "quoted"' } }

interface Received {
  readonly headers: Record<string, string>
  readonly body: string
}

let received: Received[]
let lookup: Lookup
const servers: (Server | PlainServer)[] = []
const sockets = new Set<Socket>()

beforeEach(() => {
  received = []
  lookup = async () => ['127.0.0.1']
})

afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))))
})

async function listen(server: Server | PlainServer, scheme = 'http'): Promise<string> {
  servers.push(server)
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return `${scheme}://127.0.0.1:${address.port}/hook?token=s3cret`
}

/** A receiver that keeps what it got and answers as told. */
function receiver(answer: (response: ServerResponse) => void): Promise<string> {
  return listen(createServer((request, response) => void keep(request).then(() => answer(response))))
}

async function keep(request: IncomingMessage): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  const { method: _, ...headers } = { ...request.headers, method: request.method }
  received.push({ headers: headers as Record<string, string>, body: Buffer.concat(chunks).toString('utf8') })
}

interface Surroundings {
  readonly hosts?: readonly string[]
  readonly allowPrivate?: boolean
  readonly secret?: string | PortError | Promise<string>
  readonly clock?: Clock
}

function call(
  url: string,
  { hosts = [], allowPrivate = true, secret = SECRET, clock = systemClock() }: Surroundings = {},
  request: Partial<WebhookRequest> = {},
): Promise<WebhookAnswer> {
  const addresses = outsideAddresses({ hosts, allowPrivate }, (host) => lookup(host))
  const settings = {
    fetch: guardedFetch(addresses, (host) => lookup(host)),
    addresses,
    secret: async () => {
      if (secret instanceof PortError) throw secret
      return secret
    },
  }
  const whole = { id: 'shop_web_a1_0_2', url, secret: 'webhook-signing', body: BODY, deadlineMs: 10_000, ...request }
  return webhookCaller(settings, clock).call(whole)
}

describe('a signature of a webhook', () => {
  it('is that of the example which the libraries of Standard Webhooks share', () => {
    const keys = signingKeys('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw') ?? []
    const headers = signatureHeaders(keys, 'msg_p5jXN8AQM9LWM0D4loKWxJek', 1_614_265_330_000, '{"test": 2432232314}')
    expect(headers).toEqual({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    })
  })

  it('is found good by an implementation that is not ours, over the very bytes that came', async () => {
    const url = await receiver((response) => response.end())
    for (const secret of [SECRET, SECRET.slice('whsec_'.length), ` ${SECRET}\n`]) await call(url, { secret })
    expect(received).toHaveLength(3)
    for (const { headers, body } of received) {
      expect(new Webhook(SECRET).verify(body, headers)).toEqual(BODY)
      expect(headers).toMatchObject({
        'webhook-id': 'shop_web_a1_0_2',
        'content-type': 'application/json; charset=utf-8',
      })
      const other = `whsec_${Buffer.alloc(32, 8).toString('base64')}`
      expect(() => new Webhook(other).verify(body, headers)).toThrow('No matching signature')
      expect(() => new Webhook(SECRET).verify(`${body} `, headers)).toThrow('No matching signature')
    }
  })

  it('is made with both keys while one takes the place of the other', async () => {
    const url = await receiver((response) => response.end())
    const next = `whsec_${randomBytes(24).toString('base64')}`
    await call(url, { secret: `${next} ${SECRET}` })
    const [{ headers, body } = { headers: {}, body: '' }] = received
    for (const secret of [next, SECRET]) expect(new Webhook(secret).verify(body, headers)).toEqual(BODY)
  })
})

describe('an answer to a webhook', () => {
  const json = (value: unknown) => ({ type: 'application/json', text: JSON.stringify(value) })

  it.each([
    [200, {}, 'passed', 'answered 200'],
    [204, {}, 'passed', 'answered 204'],
    [200, { type: 'text/html', text: '<p>thanks' }, 'passed', 'answered 200'],
    [200, json({}), 'passed', 'answered 200'],
    [200, json('thanks'), 'passed', 'answered 200'],
    [200, json({ verdict: 'pass', message: '12 checks passed' }), 'passed', 'says pass: 12 checks passed'],
    [200, json({ verdict: 'fail', message: 'checkout is broken' }), 'refused', 'says fail: checkout is broken'],
    [200, { text: ' {"verdict":"fail"}' }, 'refused', 'says fail'],
    [200, json({ verdict: 'wait' }), 'waiting', 'says wait'],
    [202, {}, 'waiting', 'answered 202'],
    [202, json({ verdict: 'pass' }), 'passed', 'says pass'],
    [202, json({ message: 'still running' }), 'waiting', 'answered 202: still running'],
    [200, json({ verdict: 'maybe' }), 'failed', 'gave a verdict that is none of pass, fail and wait'],
    [200, { type: 'application/json', text: '{"verdict":' }, 'failed', 'gave an answer that is no JSON'],
    [400, json({ message: 'what is this?' }), 'refused', 'answered 400: what is this?'],
    [404, { text: 'no' }, 'refused', 'answered 404'],
    [409, json({ verdict: 'pass' }), 'refused', 'answered 409'],
    [408, {}, 'failed', 'answered 408'],
    [425, {}, 'failed', 'answered 425'],
    [429, {}, 'failed', 'answered 429'],
    [500, json({ verdict: 'pass' }), 'failed', 'answered 500'],
    [503, {}, 'failed', 'answered 503'],
  ] as const)(
    'with status %s and %j is %s',
    async (status, { type, text }: { type?: string; text?: string }, outcome, words) => {
      const url = await receiver((response) => {
        response.writeHead(status, type === undefined ? {} : { 'content-type': type }).end(text)
      })
      expect(await call(url)).toEqual({ outcome, detail: `${new URL(url).host} ${words}` })
    },
  )

  it('tells how long to stay away', async () => {
    const url = await receiver((response) => response.writeHead(503, { 'retry-after': '120' }).end())
    expect(await call(url)).toMatchObject({ outcome: 'failed', retryAfterMs: 120_000 })
  })

  it('is kept short, on one line, and without what looks like a secret', async () => {
    const message = `a\n\u001b[31mb\u202e Bearer abcdefghijklmnop ${'😀'.repeat(500)}`
    const url = await receiver((response) => response.end(JSON.stringify({ verdict: 'fail', message })))
    const { detail } = await call(url)
    expect(detail).toMatch(/says fail: a \[31mb Bearer \[hidden\] 😀+…$/u)
    expect(Array.from(detail)).toHaveLength(400)
  })
})

describe('a webhook that fails', () => {
  const host = (url: string) => new URL(url).host
  const failedWith = (detail: unknown) => ({ outcome: 'failed', detail })

  it('says which secret is missing and what to store', async () => {
    const url = await receiver((response) => response.end())
    const missing = new PortError('not-found', 'Key Vault', 'Key Vault answered 404')
    expect(await call(url, { secret: missing })).toEqual(
      failedWith(expect.stringMatching(/no secret webhook-signing: store whsec_ and 32 random bytes in base64/)),
    )
    for (const secret of ['', 'hunter2', `whsec_${'A'.repeat(20)}`, `${SECRET} ${SECRET} ${SECRET}`]) {
      const { outcome, detail } = await call(url, { secret })
      expect({ outcome, detail }).toEqual(failedWith(expect.stringContaining('is no signing key')))
      expect(detail).not.toContain('hunter2')
    }
    const denied = new PortError('denied', 'Key Vault', 'Key Vault answered 403')
    expect(await call(url, { secret: denied })).toEqual(failedWith('Key Vault answered 403'))
    expect(received).toEqual([])
  })

  it('is no failure of the other side while our own vault does not answer', async () => {
    const url = await receiver((response) => response.end())
    const down = new PortError('unavailable', 'Key Vault', 'Key Vault answered 503')
    const waits = { outcome: 'waiting', detail: 'it was not asked: Key Vault answered 503' }
    expect(await call(url, { secret: down })).toEqual({ ...waits, retryAfterMs: 5000 })
    const busy = new PortError('throttled', 'Key Vault', 'Key Vault answered 503', { retryAfterMs: 9000 })
    expect(await call(url, { secret: busy })).toEqual({ ...waits, retryAfterMs: 9000 })
    expect(received).toEqual([])
  })

  it('calls no address that the settings do not allow, and repeats no part of it but the host', async () => {
    for (const [url, surroundings, why] of [
      ['https://checks.example.com/?token=s3cret', { allowPrivate: false }, 'not among the hosts of the settings'],
      ['https://169.254.169.254/?token=s3cret', {}, 'never called'],
      ['https://u:s3cret@127.0.0.1/', {}, 'user name or password'],
      ['ftp://127.0.0.1/?token=s3cret', {}, 'must begin with http'],
      ['s3cret', {}, 'it is not a URL'],
    ] as const) {
      const answer = await call(url, surroundings)
      expect(answer).toEqual(failedWith(expect.stringContaining(why)))
      expect(answer.detail).not.toContain('s3cret')
    }
  })

  it('is not led astray by a name that means another address by the time of the connection', async () => {
    let connected = 0
    const url = await listen(
      createPlainServer(() => {
        connected += 1
      }),
    )
    const byName = url.replace('127.0.0.1', 'localhost')
    const answers = [['127.0.0.1'], ['169.254.169.254']]
    lookup = async () => answers.shift() ?? []
    expect(await call(byName)).toEqual(failedWith(expect.stringContaining('which is never called')))
    expect(answers).toEqual([])
    const gone = [['127.0.0.1'], []]
    lookup = async () => gone.shift() ?? []
    expect(await call(byName, { hosts: ['localhost'] })).toEqual(failedWith(expect.stringContaining('has no address')))
    expect(connected).toBe(0)
  })

  it('connects to what the one look-up found', async () => {
    const url = await receiver((response) => response.end())
    expect(await call(url.replace('127.0.0.1', 'localhost'))).toMatchObject({ outcome: 'passed' })
  })

  it('follows no redirect', async () => {
    const url = await receiver((response) =>
      response.writeHead(307, { location: 'http://169.254.169.254/metadata/identity' }).end(),
    )
    expect(await call(url)).toEqual(failedWith(`${host(url)} answered 307, and redirects are not followed`))
    expect(received).toHaveLength(1)
  })

  it('waits no longer than its deadline, for headers and for the body', async () => {
    for (const begin of [
      () => undefined,
      (response: ServerResponse) => void response.writeHead(200).write('{"verdict":'),
    ]) {
      const clock = virtualClock()
      const asked = Promise.withResolvers<void>()
      const url = await receiver((response) => {
        begin(response)
        asked.resolve()
      })
      const calling = call(url, { clock }, { deadlineMs: 3000 })
      await asked.promise
      await clock.pass(3000)
      expect(await calling).toEqual(failedWith(`${host(url)} did not answer within 3s`))
      await expect.poll(() => sockets.size).toBe(0)
    }
  })

  it('waits no longer than its deadline for the key and the answer together', async () => {
    const clock = virtualClock()
    const never = call('http://127.0.0.1:1', { clock, secret: new Promise(() => undefined) }, { deadlineMs: 3000 })
    await clock.pass(3000)
    expect(await never).toMatchObject({
      outcome: 'waiting',
      detail: 'it was not asked: Key Vault did not answer within 3s',
    })
    const asked = Promise.withResolvers<void>()
    const url = await receiver(() => asked.resolve())
    const late = call(url, { clock, secret: clock.sleep(2000).then(() => SECRET) }, { deadlineMs: 3000 })
    await clock.pass(2000)
    await asked.promise
    await clock.pass(1000)
    expect(await late).toEqual(failedWith(`${host(url)} did not answer within 1s`))
  })

  it('reads no more than 64 KiB, and takes that much', async () => {
    const endless = await receiver((response) => {
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(16_384)));
      }
      response.on('drain', more)
      more()
    })
    expect(await call(endless)).toEqual(failedWith(`${host(endless)} gave an answer of more than 65536 bytes`))
    await expect.poll(() => sockets.size).toBe(0)
    const full = await receiver((response) => response.end('x'.repeat(65_536)))
    expect(await call(full)).toMatchObject({ outcome: 'passed' })
  })

  it('tells a broken connection, a refused one, and what is no HTTP', async () => {
    const reset = await listen(createPlainServer((socket) => void socket.once('data', () => socket.resetAndDestroy())))
    expect(await call(reset)).toEqual(failedWith(`${host(reset)} cannot be reached (ECONNRESET)`))
    const cut = await receiver((response) => {
      response.writeHead(200, { 'content-length': '100' }).write('{', () => response.destroy())
    })
    expect(await call(cut)).toEqual(failedWith(expect.stringContaining('cannot be reached')))
    const other = await listen(createPlainServer((socket) => void socket.end('220 mail.example.com ready\r\n')))
    expect(await call(other)).toEqual(failedWith(expect.stringMatching(/cannot be reached \(HPE_/)))
    const odd = await listen(createPlainServer((socket) => void socket.end('HTTP/1.1 999 Odd\r\n\r\n')))
    expect(await call(odd)).toEqual(failedWith(expect.stringContaining('cannot be reached')))
    const [server] = servers.splice(0, 1)
    await new Promise((resolve) => server?.close(resolve))
    expect(await call(reset)).toEqual(failedWith(`${host(reset)} cannot be reached (ECONNREFUSED)`))
  })

  it('trusts no certificate that nobody vouches for', async () => {
    const key = await generateKey({ kty: 'EC', curve: 'P-256' })
    const names = { dnsNames: ['localhost'] }
    const content = { subject: 'CN=localhost', names, ekus: [], keyUsage: ['digitalSignature'] }
    const validity = { notBefore: 0, notAfter: Date.UTC(2060, 0, 1), serial: '01' }
    const cert = pem('CERTIFICATE', await selfSigned(key, content, validity))
    const options = { key: pem('PRIVATE KEY', key.pkcs8), cert }
    const url = await listen(
      createTlsServer(options, (request) => void keep(request)),
      'https',
    )
    expect(await call(url)).toEqual(failedWith(expect.stringContaining('SELF_SIGNED_CERT')))
    expect(received).toEqual([])
  })
})
