import type { AccessToken } from '@azure/core-auth'
import { describe, expect, it } from 'vitest'
import { withTokenDeadline } from '../../../src/adapters/token-deadline.ts'
import { virtualClock } from './virtual-clock.ts'

describe('a credential with a deadline', () => {
  it('gives up a question without an answer, and asks anew the next time', async () => {
    const clock = virtualClock()
    const signals: (AbortSignal | undefined)[] = []
    const token: AccessToken = { token: 'a', expiresOnTimestamp: 1 }
    const credential = withTokenDeadline(
      {
        getToken: (_, options) => {
          signals.push(options?.abortSignal as AbortSignal)
          return signals.length === 1 ? new Promise(() => undefined) : Promise.resolve(token)
        },
      },
      clock,
    )
    const first = credential.getToken('app/.default').catch((error: unknown) => error)
    await clock.pass(4999)
    expect(signals[0]?.aborted).toBe(false)
    await clock.pass(1)
    expect(await first).toMatchObject({ name: 'PortError', kind: 'unavailable', reason: 'Timeout' })
    expect(signals[0]?.aborted).toBe(true)
    expect(await credential.getToken('app/.default')).toBe(token)
  })

  it('ends when its caller gives up', async () => {
    const caller = new AbortController()
    const credential = withTokenDeadline(
      {
        getToken: (_, options) =>
          new Promise((_resolve, reject) => {
            options?.abortSignal?.addEventListener('abort', () => reject(new Error('given up')))
          }),
      },
      virtualClock(),
    )
    const asked = credential.getToken('app/.default', { abortSignal: caller.signal })
    caller.abort()
    await expect(asked).rejects.toThrow('given up')
  })
})
