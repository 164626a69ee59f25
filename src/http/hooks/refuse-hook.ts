import { fail, type Result } from '../../model/failure.ts'
import type { HttpDeps } from '../http-deps.ts'

const told = new WeakMap<HttpDeps, Set<string>>()

/** 401, whatever is wrong: who is not known learns nothing. The log has the reason, and once that a hook is not set up. */
export function refuseHook(deps: HttpDeps, hook: keyof HttpDeps['hooks'], why = 'no valid signature'): Result<never> {
  const isSetUp = deps.hooks[hook].length > 0
  const already = told.get(deps) ?? new Set()
  if (isSetUp) deps.logger.log('info', 'hook.refused', { hook, why })
  else if (!already.has(hook)) deps.logger.log('warn', 'hook.not-set-up', { hook })
  told.set(deps, already.add(hook))
  return fail('Unauthenticated', 'The request carries no proof that is taken here.', {
    hint: 'docs/chatops.md says how a hook is set up.',
  })
}
