import * as z from 'zod'
import { type FailureCode, type Result, succeed } from '../../model/failure.ts'
import type { Role } from '../../model/identity.ts'
import { serviceKey } from '../../model/service.ts'
import { actOnRollout } from '../../rollouts/act-on-rollout.ts'
import type { NamedStep } from '../../rollouts/named-step.ts'
import { retryRollout } from '../../rollouts/retry-rollout.ts'
import { rolloutOfService } from '../../rollouts/rollout-of-service.ts'
import { ROLE_OF_VERB, VERBS, type Verb } from '../../rollouts/verbs.ts'
import { type Answer, type Call, type Route, route } from '../route.ts'
import { rolloutView } from '../views/rollout-view.ts'
import { type WaitQuery, waitQuery } from '../wait.ts'
import { rolloutAnswer, START_FAILURES } from './rollouts.ts'

const verbBody = z
  .strictObject({
    note: z.string().max(500).optional().describe('Why, in the words of the caller; kept in the history'),
  })
  .meta({ id: 'VerbRequest' })

/** A word on a step. Who saw the step says which one: a later one may wait by now. */
const stepVerbBody = verbBody
  .extend({
    wave: z.int().min(0).optional().describe('The wave that is meant, as the rollout shows it (from 0)'),
    step: z.int().min(0).optional().describe('The step that is meant; 409 NotAtStep when the rollout waits at another'),
  })
  .meta({ id: 'StepVerbRequest' })
type VerbBody = z.infer<typeof stepVerbBody> | undefined

type AnyVerb = Verb | 'retry'

const WORDS: Readonly<Record<AnyVerb, { readonly summary: string; readonly description?: string }>> = {
  promote: { summary: 'Give all traffic to the candidate now, past the steps that are left' },
  pause: { summary: 'Hold a rollout at its present weight' },
  resume: { summary: 'Go on with a paused rollout' },
  approve: { summary: 'Let a rollout pass that awaits approval' },
  reject: { summary: 'Roll back a rollout that awaits approval' },
  abort: {
    summary: 'Take all traffic from the candidate, now',
    description:
      'The routes are written inside the call; what could not be reached is repeated after it. Freezes do not stop it.',
  },
  rollback: {
    summary: 'Go back to stable, also while baking',
    description:
      'The routes are written inside the call; what could not be reached is repeated after it. Freezes do not stop it.',
  },
  'break-glass': {
    summary: 'Let a rollout pass by freezes and change windows',
    description: 'Needs a note, which is kept in the history and the audit. Gates and approvals stay as they are.',
  },
  retry: { summary: 'Start a rollout anew that ended without success' },
}

export const VERB_ROUTES: readonly Route[] = [...VERBS, 'retry' as const].flatMap((verb) => [
  verbRoute(verb, '/rollouts/{id}', `${idOfVerb(verb)}Rollout`, WORDS[verb].summary, async ({ params }) =>
    succeed(params.id ?? ''),
  ),
  verbRoute(
    verb,
    '/services/{namespace}/{name}',
    `${idOfVerb(verb)}ServiceRollout`,
    `${WORDS[verb].summary}: the one rollout of a service`,
    async ({ deps, params }) => {
      const key = serviceKey(params.namespace ?? '', params.name ?? '')
      const meant = await rolloutOfService(deps.store, key, verb)
      return meant.ok ? succeed(meant.value.id) : meant
    },
  ),
])

/** `breakGlass`: operation ids are names in many languages. */
function idOfVerb(verb: AnyVerb): string {
  return verb.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())
}

function verbRoute(
  verb: AnyVerb,
  path: string,
  operationId: string,
  summary: string,
  idOf: (call: Call<VerbBody, WaitQuery>) => Promise<Result<string>>,
): Route {
  const access: readonly Role[] = [verb === 'retry' ? 'Mesh.Deployer' : ROLE_OF_VERB[verb]]
  const { description } = WORDS[verb]
  const status = verb === 'retry' ? 201 : 200
  return route<VerbBody, WaitQuery>({
    method: 'POST',
    path: `${path}/${verb}`,
    operationId,
    tag: 'Rollouts',
    summary,
    ...(description === undefined ? {} : { description }),
    access,
    query: waitQuery,
    body: isOnStep(verb)
      ? { schema: stepVerbBody.optional(), optional: true, example: { wave: 0, step: 1, note: 'seen in the canary' } }
      : { schema: verbBody.optional(), optional: true, example: { note: 'seen in the canary' } },
    repeatable: true,
    answers: {
      [status]: { description: 'The rollout; with ?wait= it is over or waits for a person', schema: rolloutView },
      202: { description: 'The rollout; it goes on after ?wait=', schema: rolloutView },
    },
    failures: ['NotFound', 'RolloutState', 'WriteConflict', ...refusalsOf(verb)],
    handle: async (call) => act(call, verb, await idOf(call), status),
  })
}

function isOnStep(verb: AnyVerb): boolean {
  return verb === 'approve' || verb === 'reject'
}

/** How a verb may be refused beyond the phase. */
function refusalsOf(verb: AnyVerb): readonly FailureCode[] {
  if (verb === 'approve') return ['NotAtStep', 'SeparateDuties']
  if (verb === 'reject') return ['NotAtStep']
  if (verb === 'break-glass') return ['InvalidCombination']
  return verb === 'retry' ? START_FAILURES : []
}
async function act(
  call: Call<VerbBody, WaitQuery>,
  verb: AnyVerb,
  id: Result<string>,
  status: 200 | 201,
): Promise<Result<Answer>> {
  if (!id.ok) return id
  const { deps, body, context } = call
  const outcome =
    verb === 'retry'
      ? await retryRollout(deps, id.value, context)
      : await actOnRollout(deps, id.value, { verb, note: body?.note ?? '', ...namedIn(body) }, context)
  return rolloutAnswer(call, outcome, status)
}

function namedIn(body: VerbBody): { readonly at?: NamedStep } {
  const { wave, step } = body ?? {}
  if (wave === undefined && step === undefined) return {}
  return { at: { ...(wave === undefined ? {} : { wave }), ...(step === undefined ? {} : { step }) } }
}
