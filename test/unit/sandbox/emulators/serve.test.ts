import { expect, it, onTestFinished } from 'vitest'
import { type Emulator, jsonResponse } from '../../../../src/sandbox/emulators/emulator.ts'
import { type ServeOptions, serve } from '../../../../src/sandbox/emulators/serve.ts'

const echo: Emulator = async ({ method, url, headers, body }) => {
  if (url.pathname === '/fail') throw new Error('secret detail')
  if (url.pathname === '/empty') return { status: 204, headers: { 'x-seen': 'yes' }, body: '' }
  return jsonResponse(200, { method, url: url.href, header: headers['x-one'], length: body.length })
}

async function served(options: Partial<ServeOptions> = {}) {
  const server = await serve(echo, { port: 0, ...options })
  onTestFinished(() => server.close())
  return server
}

it('serves an emulator on a free port', async () => {
  const { url } = await served()
  const response = await fetch(`${url}/a%2Fb?c=d`, { method: 'POST', body: 'hello', headers: { 'X-One': '1' } })
  expect(await response.json()).toEqual({ method: 'POST', url: `${url}/a%2Fb?c=d`, header: '1', length: 5 })
  const empty = await fetch(`${url}/empty`)
  expect([empty.status, empty.headers.get('x-seen')]).toEqual([204, 'yes'])
})

it('answers 500 without the reason when the emulator fails, and tells its keeper', async () => {
  const errors: unknown[] = []
  const { url } = await served({ onError: (error) => void errors.push(error) })
  const response = await fetch(`${url}/fail`)
  expect(response.status).toBe(500)
  expect(await response.text()).not.toContain('secret')
  expect(errors).toEqual([new Error('secret detail')])
})

it('refuses a body over 8 MiB', async () => {
  const { url } = await served()
  const body = new Uint8Array(8 * 1024 * 1024 + 1)
  const outcome = await fetch(url, { method: 'POST', body }).then(
    (response) => response.status,
    () => 'cut off',
  )
  expect([413, 'cut off']).toContain(outcome)
  expect((await fetch(`${url}/empty`)).status).toBe(204)
})

it('rejects when the port is taken, and frees it on close', async () => {
  const first = await served()
  const port = Number(new URL(first.url).port)
  await expect(serve(echo, { port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
  await first.close()
  const second = await serve(echo, { port })
  expect(second.url).toBe(first.url)
  await second.close()
})
