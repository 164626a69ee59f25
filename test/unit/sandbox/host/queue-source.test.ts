import { describe, expect, test } from 'vitest'
import type { EmulatorRequest, EmulatorResponse } from '../../../../src/sandbox/emulators/emulator.ts'
import { queueSourceOver } from '../../../../src/sandbox/host/queue-source.ts'

function scripted(...answers: Partial<EmulatorResponse>[]) {
  const asked: string[] = []
  const bodies: string[] = []
  const source = queueSourceOver('http://queues.test/account', async ({ method, url, body }: EmulatorRequest) => {
    asked.push(`${method} ${url.pathname}${url.search}`)
    bodies.push(new TextDecoder().decode(body))
    const answer = answers.shift()
    if (!answer) throw new Error('no more answers')
    return { status: 200, headers: {}, body: '', ...answer }
  })
  return { source, asked, bodies }
}

const message = { id: 'a/b', popReceipt: 'r+1=', text: '', dequeueCount: 1, insertedMs: 0, expiresMs: 0, visibleMs: 0 }

describe('the queue protocol', () => {
  test('receives messages with their text unescaped', async () => {
    const body = `<?xml version="1.0" encoding="utf-8"?><QueueMessagesList><QueueMessage><MessageId>1</MessageId>
      <InsertionTime>Thu, 01 Jan 2026 00:00:00 GMT</InsertionTime><ExpirationTime>Fri, 31 Dec 9999 23:59:59 GMT</ExpirationTime>
      <PopReceipt>AgAA=</PopReceipt><TimeNextVisible>Thu, 01 Jan 2026 00:10:00 GMT</TimeNextVisible><DequeueCount>3</DequeueCount>
      <MessageText>{&quot;a&quot;:&quot;&lt;b&gt; &amp;amp; &#x41;&#66;&quot;}</MessageText></QueueMessage>
      <QueueMessage><MessageId>2</MessageId><MessageText /></QueueMessage></QueueMessagesList>`
    const { source, asked } = scripted({ body })
    const got = await source.receive('work', 16, 600_000)
    expect(asked).toEqual(['GET /account/work/messages?numofmessages=16&visibilitytimeout=600'])
    expect(got[0]).toEqual({
      id: '1',
      popReceipt: 'AgAA=',
      text: '{"a":"<b> &amp; AB"}',
      dequeueCount: 3,
      insertedMs: Date.UTC(2026, 0, 1),
      expiresMs: Date.UTC(9999, 11, 31, 23, 59, 59),
      visibleMs: Date.UTC(2026, 0, 1, 0, 10),
    })
    expect(got[1]?.text).toBe('')
  })

  test('a queue that does not exist is empty, another failure is an error that names the queue', async () => {
    const { source } = scripted({ status: 404 }, { status: 503, body: 'ServerBusy' })
    expect(await source.receive('work', 1, 1000)).toEqual([])
    await expect(source.receive('work', 1, 1000)).rejects.toThrow('Receiving from work: 503 ServerBusy')
  })

  test('hides with the old receipt and goes on with the new one', async () => {
    const { source, asked } = scripted({ status: 204, headers: { 'x-ms-popreceipt': 'r2' } })
    expect(await source.hide('work', message, 1500)).toMatchObject({ id: 'a/b', popReceipt: 'r2' })
    expect(asked).toEqual(['PUT /account/work/messages/a%2Fb?popreceipt=r%2B1%3D&visibilitytimeout=2'])
  })

  test.each([
    ['deleted meanwhile', { status: 404, body: '<Error><Code>MessageNotFound</Code></Error>' }],
    ['taken by another', { status: 400, body: '<Error><Code>PopReceiptMismatch</Code></Error>' }],
  ])('a message that was %s is lost, not an error', async (_reason, answer) => {
    const { source } = scripted(answer, answer)
    expect(await source.hide('work', message, 1000)).toBeUndefined()
    expect(await source.remove('work', message)).toBe(false)
  })

  test('adding makes the queue when there is none', async () => {
    const { source, asked, bodies } = scripted({ status: 404 }, { status: 201 }, { status: 201 })
    await source.add('work-poison', '<a> & "b"\r\n')
    expect(asked).toEqual([
      'POST /account/work-poison/messages?messagettl=-1',
      'PUT /account/work-poison',
      'POST /account/work-poison/messages?messagettl=-1',
    ])
    expect(bodies[2]).toBe('<QueueMessage><MessageText>&lt;a&gt; &amp; "b"&#xD;\n</MessageText></QueueMessage>')
  })
})
