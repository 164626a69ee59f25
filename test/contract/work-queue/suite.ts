import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { QueueName, WorkMessage } from '../../../src/model/outbox.ts'
import type { WorkQueue } from '../../../src/ports/work-queue.ts'

export interface OpenedQueue {
  readonly queue: WorkQueue
  /** Takes all messages that can be seen now, as their texts. */
  take(name: QueueName): Promise<readonly string[]>
  /** Lets time pass. */
  pass(durationMs: number): Promise<void>
  close(): Promise<void>
}

const day = 24 * 3_600_000

/** What every work queue keeps to. */
export function workQueueContract(name: string, open: () => Promise<OpenedQueue>): void {
  describe(`work queue on ${name}`, () => {
    let opened: OpenedQueue
    beforeAll(async () => {
      opened = await open()
    })
    afterAll(() => opened.close())
    const reconcile = (service: string): WorkMessage => ({ kind: 'reconcile', service, cluster: 'east' })

    it('carries messages as plain JSON, each queue its own', async () => {
      const { queue, take } = opened
      const odd: WorkMessage = { kind: 'advance', service: 'shop/<&"\'>]]> ä ✓ \u0000', session: '0:-1#42' }
      await queue.send('urgent', odd)
      await queue.send('work', reconcile('shop/web'))
      expect((await take('urgent')).map((text) => JSON.parse(text))).toEqual([odd])
      expect((await take('work')).map((text) => JSON.parse(text))).toEqual([reconcile('shop/web')])
    })

    it('holds a message back until two seconds before its time, and says when that is', async () => {
      const { queue, take, pass } = opened
      const sentMs = Date.now()
      await queue.send('work', reconcile('shop/late'), 90_500)
      await queue.send('work', reconcile('shop/now'), -5)
      expect((await take('work')).map((text) => JSON.parse(text))).toEqual([reconcile('shop/now')])
      await pass(88_000)
      expect(await take('work')).toEqual([])
      await pass(2000)
      const [late, ...others] = (await take('work')).map((text) => JSON.parse(text))
      expect(others).toEqual([])
      expect(late).toEqual({ ...reconcile('shop/late'), notBefore: expect.any(String) })
      expect(Math.abs(Date.parse(late.notBefore) - sentMs - 90_500)).toBeLessThan(10_000)
    })

    it('holds a message back for seven days at most, and never lets one expire', async () => {
      const { queue, take, pass } = opened
      await queue.send('work', reconcile('shop/week'), 30 * day)
      await queue.send('urgent', reconcile('shop/old'))
      await pass(7 * day)
      expect(await take('work')).toHaveLength(1)
      await pass(30 * day)
      expect(await take('urgent')).toHaveLength(1)
    })

    it('says that a message is too large', async () => {
      const large = reconcile('x'.repeat(70_000))
      await expect(opened.queue.send('work', large)).rejects.toMatchObject({ name: 'PortError', kind: 'invalid' })
    })
  })
}
