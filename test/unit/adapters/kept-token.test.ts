import type { AccessToken } from '@azure/core-auth'
import { beforeEach, describe, expect, it } from 'vitest'
import { type KeptToken, keptToken } from '../../../src/adapters/kept-token.ts'
import { type VirtualClock, virtualClock } from './virtual-clock.ts'

const MINUTE = 60_000
let clock: VirtualClock
/** Given in turn; the last one again and again. */
let answers: (() => Promise<AccessToken | null>)[]
let asked: string[]
let kept: KeptToken
beforeEach(() => {
  clock = virtualClock()
  answers = []
  asked = []
  const getToken = async (scopes: string | string[]) => {
    asked.push(String(scopes))
    const [answer] = answers.length > 1 ? answers.splice(0, 1) : answers
    return answer ? answer() : null
  }
  kept = keptToken({ getToken }, 'app/.default', 'Entra ID', clock)
})

const token = (text: string, lifetimeMs: number) => async () => ({
  token: text,
  expiresOnTimestamp: clock.now() + lifetimeMs,
})
const no = (error: Error) => () => Promise.reject(error)
const failure = (call: Promise<unknown>) => call.catch((error: unknown) => error)

describe('a token', () => {
  it('is asked for once, however many want it', async () => {
    answers = [token('a', 60 * MINUTE)]
    expect(await Promise.all([kept.get(), kept.get(), kept.get()])).toEqual(['a', 'a', 'a'])
    await clock.pass(55 * MINUTE - 1)
    expect(await kept.get()).toBe('a')
    expect(asked).toEqual(['app/.default'])
  })

  it('is renewed five minutes before it ends', async () => {
    answers = [token('a', 60 * MINUTE), token('b', 60 * MINUTE)]
    await kept.get()
    await clock.pass(55 * MINUTE)
    expect(await kept.get()).toBe('b')
    expect(asked).toHaveLength(2)
  })

  it('is used to its end while no other can be had, and not a moment longer', async () => {
    answers = [token('a', 60 * MINUTE), no(new Error('a-secret'))]
    await kept.get()
    await clock.pass(56 * MINUTE)
    expect([await kept.get(), await kept.get()]).toEqual(['a', 'a'])
    expect(asked).toHaveLength(2)
    await clock.pass(4 * MINUTE)
    const failed = await failure(kept.get())
    expect(failed).toMatchObject({ name: 'PortError', kind: 'unavailable' })
    expect(String(failed)).not.toContain('secret')
  })

  it('that was refused is asked for anew, unless another is there already', async () => {
    answers = [token('a', 60 * MINUTE), token('b', 60 * MINUTE)]
    await kept.get()
    kept.refused('a')
    expect(await kept.get()).toBe('b')
    kept.refused('a')
    expect(await kept.get()).toBe('b')
    expect(asked).toHaveLength(2)
  })

  it.each([
    [
      'no identity',
      no(Object.assign(new Error('x'), { name: 'CredentialUnavailableError' })),
      'denied',
      'TokenRefused',
    ],
    ['a refusal', no(Object.assign(new Error('x'), { name: 'AuthenticationError' })), 'denied', 'TokenRefused'],
    ['nothing', async () => null, 'denied', 'TokenRefused'],
  ])('cannot be had: %s', async (_, answer, kind, reason) => {
    answers = [answer]
    expect(await failure(kept.get())).toMatchObject({ name: 'PortError', kind, reason })
  })

  it('is waited for ten seconds, and asked for again by the next who wants it', async () => {
    answers = [() => new Promise(() => undefined), token('a', MINUTE)]
    const waiting = failure(kept.get())
    await clock.pass(10_000)
    expect(await waiting).toMatchObject({ kind: 'unavailable', reason: 'Timeout' })
    expect(await kept.get()).toBe('a')
  })
})
