import type { CommandAnswer } from '../model/command.ts'
import { digest } from '../model/digest.ts'
import type { CommandDocument } from '../model/documents.ts'
import { type Failure, fail, type Result, succeed } from '../model/failure.ts'
import type { Caller } from '../model/identity.ts'
import type { RequestContext } from '../model/request.ts'
import type { Rollout } from '../model/rollout.ts'
import { type ActDeps, actOnRollout } from '../rollouts/act-on-rollout.ts'
import { findRollout } from '../rollouts/read-rollout.ts'
import { rolloutOfService } from '../rollouts/rollout-of-service.ts'
import { mayAct, type Verb } from '../rollouts/verbs.ts'
import { findService } from './find-target.ts'
import { helpText } from './help-text.ts'
import { type Command, parseCommand, type Target } from './parse-command.ts'
import { rolloutLine, tellStatus } from './tell-status.ts'

export interface DoDeps extends ActDeps {
  /** Starts a rotation of a certificate; checks role and team; a sentence for people. */
  readonly rotate: (name: string, note: string, context: RequestContext) => Promise<Result<string>>
}

/**
 * Does what a stored command asks, for a person (undefined: nobody knows who it is, who may only read). Idempotent: what
 * it changes, it changes under a key that follows from the command. Answers in words, also when it refuses; throws
 * RetryLater, or PortError, when another try may do better.
 */
export async function doCommand(
  deps: DoDeps,
  document: CommandDocument,
  caller: Caller | undefined,
): Promise<CommandAnswer> {
  const parsed = parseCommand(document.text)
  if (!parsed.ok) return toAsker(parsed.problem)
  const { command } = parsed
  if (command.verb === 'help') return toAsker(helpText())
  if (command.verb === 'status') return toAsker(wordsOf(await tellStatus(deps.store, command.target, caller)))
  if (!caller) return toAsker(unknownPerson(document))
  const outcome = await change(deps, document, command, caller)
  if (!outcome.ok) return toAsker(wordsOf(outcome))
  return { text: `${command.verb}, asked for by ${caller.name}. ${outcome.value}`, audience: 'channel' }
}

/** A service on hundreds of clusters has more to tell. Teams takes 28 KB, with signs that grow when they are escaped. */
const MOST_ANSWER = 4000

/** It may do better another time: the state could not be written, or a system did not answer. */
export class RetryLater extends Error {
  override readonly name = 'RetryLater'
}
const PASSING: readonly Failure['code'][] = ['WriteConflict', 'Throttled', 'Unavailable']

async function change(
  deps: DoDeps,
  document: CommandDocument,
  command: Exclude<Command, { verb: 'help' }>,
  caller: Caller,
): Promise<Result<string>> {
  const { verb, target, note, at } = command
  const context: RequestContext = {
    caller,
    origin: document.origin,
    requestId: document.name,
    idempotency: { id: digest('command', document.name), body: digest(document.text) },
  }
  if (verb === 'status') return tellStatus(deps.store, target, caller)
  if (verb === 'rotate') return rotate(deps, target, note, context)
  const refused = mayAct(caller, verb)
  if (refused) return { ok: false, failure: refused }
  const meant = await meantRollout(deps, target, caller, verb)
  if (!meant.ok) return meant
  if (meant.value.startedAt > document.createdAt) {
    return fail('RolloutState', `Rollout ${meant.value.id} began after this was asked: it is left alone.`)
  }
  const request = { verb, note, ...(at === undefined ? {} : { at }) }
  const done = await actOnRollout(deps, meant.value.id, request, context)
  return done.ok ? succeed(rolloutLine(done.value)) : done
}

async function rotate(deps: DoDeps, target: Target, note: string, context: RequestContext): Promise<Result<string>> {
  if (target.kind === 'name') return deps.rotate(target.name, note, context)
  return fail('NotFound', 'Say which certificate to rotate, by its name, such as web-tls.')
}

async function meantRollout({ store }: DoDeps, target: Target, caller: Caller, verb: Verb): Promise<Result<Rollout>> {
  if (target.kind === 'rollout') {
    const rollout = await findRollout(store, target.id)
    return rollout ? succeed(rollout) : fail('NotFound', `There is no rollout ${target.id}.`)
  }
  const service = await findService(store, target, caller)
  return service.ok ? rolloutOfService(store, service.value, verb) : service
}

function wordsOf(result: Result<string>): string {
  if (result.ok) return result.value
  if (PASSING.includes(result.failure.code)) throw new RetryLater(result.failure.detail)
  return result.failure.detail
}

function toAsker(text: string): CommandAnswer {
  return { text: bounded(text), audience: 'asker' }
}

function bounded(text: string): string {
  return text.length <= MOST_ANSWER ? text : `${text.slice(0, MOST_ANSWER).toWellFormed()}…`
}

function unknownPerson({ from }: CommandDocument): string {
  const way =
    from?.kind === 'slack'
      ? `An administrator can tell me which Entra account Slack user ${from.id} is (PUT /teams/{team}, chat.slackUsers).`
      : 'An administrator can give your Entra account a role.'
  return `I do not know who you are, so you may only ask for status and help. ${way}`
}
