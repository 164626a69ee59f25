import { describe, expect, it } from 'vitest'
import { type Call, shopWorld, WEB } from './fixture.ts'

export const SERVICE = '/api/v1/services/shop/web'
/** Not there yet. */
export const NEW = '/api/v1/services/shop/new'
export const ROLLOUTS = `${SERVICE}/rollouts`

/** One request that must be refused. `says` stands in the detail or in a reason. */
export interface Refusal {
  readonly name: string
  readonly method: string
  readonly path: string
  readonly call: Call
  /** Status and code: `400 InvalidRequest`. */
  readonly answer: string
  readonly pointers: readonly string[] | undefined
  readonly says: RegExp | undefined
}

export function refused(
  name: string,
  method: string,
  path: string,
  call: Call,
  answer: string,
  pointers?: readonly string[],
  says?: RegExp,
): Refusal {
  return { name, method, path, call, answer, pointers, says }
}

/** A PUT of the service, with changes. */
export function service(change: object): Call {
  return { body: { ...WEB, ...change } }
}

/** Each is refused as problem+json that names the field, the rule and a way out, and nothing is written. */
export function describeRefusals(title: string, refusals: readonly Refusal[]): void {
  describe(title, () => {
    it.each(refusals)('$name is $answer', async ({ method, path, call, answer: expected, pointers, says }) => {
      const world = shopWorld()
      const answer = await world.call(method, path, call)
      expect(`${answer.status} ${answer.json.code}`, world.seen.logged.join()).toBe(expected)
      expect(answer.json.status).toBe(answer.status)
      expect(answer.headers['content-type']).toBe('application/problem+json')
      const errors: { pointer: string; reason: string }[] = answer.json.errors ?? []
      if (pointers) expect(errors.map(({ pointer }) => pointer)).toEqual(pointers)
      if (says) expect(`${answer.json.detail} ${errors.map(({ reason }) => reason).join(' ')}`).toMatch(says)
      expect(answer.json.hint).toMatch(/\w/)
      expect(answer.json).toMatchObject({ instance: path.split('?')[0], type: `/docs#problem-${answer.json.code}` })
      expect(answer.json.requestId).toBe(answer.headers['x-request-id'])
      expect(world.store.writes).toBe(0)
      expect(Reflect.get({}, 'admin')).toBeUndefined()
    })
  })
}
