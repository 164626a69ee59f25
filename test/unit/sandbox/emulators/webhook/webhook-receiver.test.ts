import { Webhook } from 'standardwebhooks'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Emulator } from '../../../../../src/sandbox/emulators/emulator.ts'
import { webhookReceiver } from '../../../../../src/sandbox/emulators/webhook/webhook-receiver.ts'
import { memoryStorage } from '../../../../../src/sandbox/storage.ts'

const SECRET = `whsec_${Buffer.alloc(32, 5).toString('base64')}`
const NOW = Date.UTC(2030, 0, 1)

let receiver: Emulator
let slept: number[]

beforeEach(() => {
  slept = []
  const sleep = async (durationMs: number) => slept.push(durationMs)
  const context = { now: () => NOW, random: () => 0.5, storage: memoryStorage() }
  receiver = webhookReceiver(context, { secret: SECRET, sleep })
})

async function ask(method: string, name: string, body?: unknown, headers: Record<string, string> = {}) {
  const text = body === undefined ? '' : JSON.stringify(body)
  const url = new URL(`http://127.0.0.1/${name}`)
  const answer = await receiver({ method, url, headers, body: new TextEncoder().encode(text) })
  const said = String(answer.body)
  return { status: answer.status, headers: answer.headers, body: said === '' ? undefined : JSON.parse(said) }
}

function call(name: string, { id = 'a_0_1', at = NOW, secret = SECRET, body = { step: 1 } } = {}) {
  const signature = new Webhook(secret).sign(id, new Date(at), JSON.stringify(body))
  const headers = { 'webhook-id': id, 'webhook-timestamp': String(at / 1000), 'webhook-signature': signature }
  return ask('POST', name, body, headers)
}

describe('an emulated receiver of webhooks', () => {
  it('says pass, and keeps what came by its name', async () => {
    expect(await call('smoke')).toMatchObject({ status: 200, body: { verdict: 'pass' } })
    expect((await ask('GET', 'smoke')).body.calls).toEqual([
      { at: '2030-01-01T00:00:00.000Z', id: 'a_0_1', body: { step: 1 } },
    ])
    expect((await ask('GET', 'other')).body.calls).toEqual([])
  })

  it('answers as it is told, until it is told otherwise', async () => {
    await ask('PUT', 'smoke', { verdict: 'wait', message: 'still running', retryAfter: 5, delayMs: 200 })
    expect(await call('smoke')).toMatchObject({
      status: 200,
      headers: { 'retry-after': '5' },
      body: { verdict: 'wait', message: 'still running' },
    })
    expect(slept).toEqual([200])
    await ask('PUT', 'smoke', { status: 503 })
    expect(await call('smoke')).toMatchObject({ status: 503, body: {} })
    await ask('PUT', 'smoke', { status: 204 })
    expect(await call('smoke')).toMatchObject({ status: 204, body: undefined })
    await ask('DELETE', 'smoke')
    expect((await ask('GET', 'smoke')).body).toEqual({
      answer: { verdict: 'pass', status: 200, delayMs: 0 },
      calls: [],
    })
    expect((await ask('PUT', 'smoke', { verdict: 'maybe' })).status).toBe(400)
  })

  it('takes no call that is not signed under its secret, or is old', async () => {
    const other = `whsec_${Buffer.alloc(32, 6).toString('base64')}`
    for (const wrong of [{ secret: other }, { at: NOW - 301_000 }, { at: NOW + 301_000 }])
      expect(await call('smoke', wrong)).toMatchObject({ status: 401 })
    expect(await ask('POST', 'smoke', {})).toMatchObject({ status: 401 })
    expect((await ask('GET', 'smoke')).body.calls).toEqual([])
  })

  it('takes one of two signatures', async () => {
    const body = '{}'
    const [old, current] = [`whsec_${Buffer.alloc(32, 6).toString('base64')}`, SECRET].map((secret) =>
      new Webhook(secret).sign('x', new Date(NOW), body),
    )
    const headers = {
      'webhook-id': 'x',
      'webhook-timestamp': String(NOW / 1000),
      'webhook-signature': `${old} ${current}`,
    }
    expect(await ask('POST', 'smoke', {}, headers)).toMatchObject({ status: 200 })
  })
})
