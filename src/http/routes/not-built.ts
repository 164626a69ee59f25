import { fail } from '../../model/failure.ts'
import { type Method, type Route, route } from '../route.ts'

/** Paths of the design that this version does not serve yet: 501 with a reason, never a stub that pretends. */
const LATER: readonly (readonly [Method, path: string, operationId: string, what: string])[] = [
  ['POST', '/rollouts/{id}/replay', 'replayRollout', 'Replays of past windows'],
]

export const NOT_BUILT_ROUTES: readonly Route[] = [
  ...LATER.map(([method, path, operationId, what]) =>
    route({
      method,
      path,
      operationId,
      tag: 'Not built yet',
      summary: `${what}: not built yet`,
      access: 'any',
      answers: {},
      failures: ['NotBuilt'],
      handle: async () => fail('NotBuilt', `Not part of this version: ${what.toLowerCase()}.`),
    }),
  ),
]
