import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { EmulatorContext } from '../../../../../src/sandbox/emulators/emulator.ts'
import { storageQueueEmulator } from '../../../../../src/sandbox/emulators/storage-queue/storage-queue.ts'
import { element, escapeXml, unescapeXml } from '../../../../../src/sandbox/emulators/storage-queue/xml.ts'
import { memoryStorage } from '../../../../../src/sandbox/storage.ts'

function open(random: () => number = () => 0, options = {}) {
  const context: EmulatorContext = { now: () => Date.UTC(2030, 0, 1), random, storage: memoryStorage() }
  const access = { account: 'account', key: 'key', acceptToken: () => true }
  const emulator = storageQueueEmulator(context, { ...access, ...options })
  return async (method: string, path: string, body = '') => {
    const url = new URL(path, 'https://account.queue.core.windows.net')
    const bytes = new TextEncoder().encode(body)
    const {
      status,
      headers,
      body: answer,
    } = await emulator({ method, url, headers: { authorization: 'Bearer t' }, body: bytes })
    return { status, headers, text: String(answer) }
  }
}

const messageOf = (text: string) => element('QueueMessage', element('MessageText', text))

it('writes the service’s XML, error codes and headers', async () => {
  const call = open()
  const missing = await call('GET', '/none/messages')
  expect(missing).toMatchObject({ status: 404, headers: { 'x-ms-error-code': 'QueueNotFound' } })
  expect(missing.text).toBe(
    '<?xml version="1.0" encoding="utf-8"?><Error><Code>QueueNotFound</Code><Message>The specified queue does not exist.</Message></Error>',
  )
  expect((await call('PUT', '/work')).status).toBe(201)
  expect((await call('PUT', '/work')).status).toBe(204)
  const sent = await call('POST', '/work/messages', messageOf('a &amp; b'))
  expect(sent.status).toBe(201)
  expect(sent.headers).toMatchObject({ 'content-type': 'application/xml', date: 'Tue, 01 Jan 2030 00:00:00 GMT' })
  const taken = await call('GET', '/work/messages')
  expect(taken.text).toContain('<DequeueCount>1</DequeueCount><MessageText>a &amp; b</MessageText>')
  expect(taken.text).toContain('<ExpirationTime>Tue, 08 Jan 2030 00:00:00 GMT</ExpirationTime>')
})

it('refuses bodies that are no message', async () => {
  const call = open()
  await call('PUT', '/work')
  for (const body of [
    '',
    'x',
    '<QueueMessage/>',
    messageOf('<b/>'),
    messageOf('&nbsp;'),
    messageOf('&#0;'),
    messageOf('&'),
  ]) {
    expect((await call('POST', '/work/messages', body)).headers['x-ms-error-code'], body).toBe('InvalidXmlDocument')
  }
  expect((await call('POST', '/work/messages', '<QueueMessage><MessageText/></QueueMessage>')).status).toBe(201)
})

it('refuses paths, verbs and operations it does not know', async () => {
  const call = open()
  await call('PUT', '/work')
  for (const [method, path, status] of [
    ['GET', '/', 501],
    ['GET', '/?comp=properties&restype=service', 501],
    ['GET', '/work?comp=acl', 501],
    ['POST', '/work', 405],
    ['PATCH', '/work/messages', 405],
    ['GET', '/work/messages/id?popreceipt=x', 405],
    ['DELETE', '/work/messages/id', 400],
    ['GET', '/work/other', 400],
    ['GET', '/work/messages/id/more', 400],
    ['GET', '/%E0%A4%A', 400],
    ['GET', '/work/messages?numofmessages=x', 400],
  ] as const) {
    expect((await call(method, path)).status, `${method} ${path}`).toBe(status)
  }
})

it('hands messages out in the order of arrival, or in a random one when told so', async () => {
  const order = async (options: object) => {
    let seed = 7
    const random = () => {
      seed = (seed * 16807) % 2147483647
      return seed / 2147483647
    }
    const call = open(random, options)
    await call('PUT', '/work')
    for (let n = 0; n < 8; n++) await call('POST', '/work/messages', messageOf(String(n)))
    const { text } = await call('GET', '/work/messages?numofmessages=32')
    return [...text.matchAll(/<MessageText>(\d)/g)].map(([, n]) => n).join('')
  }
  expect(await order({})).toBe('01234567')
  const shuffled = await order({ unordered: true })
  expect(shuffled).not.toBe('01234567')
  expect([...shuffled].sort().join('')).toBe('01234567')
  expect(await order({ unordered: true })).toBe(shuffled)
})

it('reads back any text that it has escaped', () => {
  const unit = fc.constantFrom('a', '<', '>', '&', ';', '#', 'x', 'lt', '"', "'", '\r', '\n', '\t', 'é', '😀')
  const text = fc.string({ unit })
  fc.assert(
    fc.property(text, (value) => {
      expect(unescapeXml(escapeXml(value))).toBe(value)
    }),
  )
})
