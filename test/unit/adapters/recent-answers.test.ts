import { expect, it } from 'vitest'
import { type KeptAnswers, recentAnswers } from '../../../src/adapters/kubernetes/recent-answers.ts'
import { virtualClock } from './virtual-clock.ts'

function setting() {
  const clock = virtualClock()
  let asked = 0
  const recent = recentAnswers(clock)
  const ask = (question: string, maxAgeMs?: number) => recent([question], maxAgeMs, async () => ++asked)
  return { clock, recent, ask }
}

it('an answer is shared by those who take one of its age, and by nobody else', async () => {
  const { clock, ask } = setting()
  expect(await Promise.all([ask('a', 1000), ask('a', 1000), ask('b', 1000)])).toEqual([1, 1, 2])
  await clock.pass(1000)
  expect(await ask('a', 1000)).toBe(1)
  expect(await ask('a', 999)).toBe(3)
  await clock.pass(1)
  expect(await ask('b', 1000)).toBe(4)
})

it('who names no age asks anew, and nobody gets an older answer after that', async () => {
  const { ask } = setting()
  expect(await ask('a', 1000)).toBe(1)
  expect(await ask('a')).toBe(2)
  expect(await ask('a', 1000)).toBe(2)
  expect(await ask('a')).toBe(3)
})

it('an answer that failed is not shared', async () => {
  const { recent, ask } = setting()
  await expect(recent(['a'], 1000, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(await ask('a', 1000)).toBe(1)
})

it('a question to any cluster frees what is too old of all of them', async () => {
  const clock = virtualClock()
  const kept: KeptAnswers = new Set()
  const [quiet, busy] = [recentAnswers(clock, kept), recentAnswers(clock, kept)]
  await quiet(['pods'], 1000, async () => 1)
  await clock.pass(1001)
  await busy(['pods'], 1000, async () => 2)
  const values = await Promise.all([...kept].flatMap((answers) => [...answers.values()].map(({ value }) => value)))
  expect(values).toEqual([2])
})
