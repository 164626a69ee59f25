import { fail } from '../../model/failure.ts'
import { type Method, type Route, route } from '../route.ts'

/** Paths of the design that this version does not serve yet: 501 with a reason, never a stub that pretends. */
const LATER: readonly (readonly [Method, path: string, operationId: string, what: string])[] = [
  ['GET', '/certificates', 'listCertificates', 'Certificates'],
  ['GET', '/certificates/{name}', 'getCertificate', 'Certificates'],
  ['PUT', '/certificates/{name}', 'putCertificate', 'Certificates'],
  ['DELETE', '/certificates/{name}', 'deleteCertificate', 'Certificates'],
  ['POST', '/certificates/{name}/rotate', 'rotateCertificate', 'Rotations of certificates'],
  ['POST', '/rollouts/{id}/replay', 'replayRollout', 'Replays of past windows'],
]

const HOOKS = [['/hooks/key-vault', 'hookKeyVault']] as const

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
  ...HOOKS.map(([path, operationId]) =>
    route({
      method: 'POST',
      path,
      root: 'both',
      operationId,
      tag: 'Not built yet',
      summary: 'A hook: not built yet',
      access: 'open',
      answers: {},
      failures: ['NotBuilt'],
      handle: async () => fail('NotBuilt', 'Hooks are not part of this version: nothing was done.'),
    }),
  ),
]
