import type { CommandAnswer } from '../model/command.ts'
import type { CommandDocument } from '../model/documents.ts'
import { succeed } from '../model/failure.ts'
import type { Caller } from '../model/identity.ts'
import { timestamp } from '../model/names.ts'
import { changeDocument } from '../ports/change-document.ts'
import type { Directory } from '../ports/directory.ts'
import type { Logger } from '../ports/logger.ts'
import type { Messenger } from '../ports/messenger.ts'
import { isPortError } from '../ports/port-error.ts'
import { type DoDeps, doCommand, RetryLater } from './do-command.ts'
import { lookUpSender } from './look-up-sender.ts'
import { slackAnswer } from './slack-answer.ts'

export interface CommandDeps extends DoDeps {
  readonly directory: Directory
  readonly messenger: Messenger
  readonly logger: Logger
}

/** What is asked for now is not wanted an hour later. */
const GIVE_UP_MS = 10 * 60_000
const FIRST_RETRY_MS = 2000
const LONGEST_RETRY_MS = 60_000
/** Whoever has done it tells the asker at once; after this, whoever comes by does. */
const TELLING_MS = 15_000

/**
 * Carries out a stored command and answers what it said; undefined when it is not done yet (the document says when it is
 * tried again) or is not there any more. Several may be at it: what it changes is changed once, and the first to be done
 * writes the answer. An answer that comes when `isLate` (the asker has been told to wait) is owed: it is sent to the place
 * that the message named, by whoever wrote it, or later by whoever finds it unsent. Throws PortError when the store does not
 * answer.
 */
export async function carryOutCommand(
  deps: CommandDeps,
  name: string,
  options: { readonly isLate: () => boolean; readonly session?: string },
): Promise<CommandAnswer | undefined> {
  const document = (await deps.store.read('command', name, options.session))?.value
  if (!document) return undefined
  if (document.state === 'done') {
    if (document.owed && (document.dueAt ?? '') <= timestamp(deps.clock.now())) await tell(deps, document)
    return document.answer
  }
  const outcome = await attempt(deps, document)
  if (outcome === undefined) {
    await putOff(deps, name)
    return undefined
  }
  return finish(deps, document, outcome, options.isLate)
}

interface Outcome {
  readonly caller: Caller | undefined
  readonly answer: CommandAnswer
}

/** Undefined: another try may do better. */
async function attempt(deps: CommandDeps, document: CommandDocument): Promise<Outcome | undefined> {
  try {
    const caller = document.caller ?? (document.from ? await lookUpSender(deps, document.from) : undefined)
    return { caller, answer: await doCommand(deps, document, caller) }
  } catch (error) {
    if (!isPortError(error) && !(error instanceof RetryLater)) throw error
    deps.logger.log('warn', 'command.put-off', { command: document.name, attempts: document.attempts + 1, error })
    if (deps.clock.now() - Date.parse(document.createdAt) < GIVE_UP_MS) return undefined
    const text = 'I could not carry this out within ten minutes and have given up. Ask for status to see how it stands.'
    return { caller: document.caller, answer: { text, audience: 'asker' } }
  }
}

async function putOff(deps: CommandDeps, name: string): Promise<void> {
  await changeDocument(deps.store, 'command', name, (stored) => {
    const before = stored?.value
    if (!before || before.state === 'done') return succeed({ kind: 'leave', value: undefined })
    const now = deps.clock.now()
    const attempts = before.attempts + 1
    const dueAt = timestamp(now + Math.min(FIRST_RETRY_MS * 2 ** before.attempts, LONGEST_RETRY_MS))
    const message = { kind: 'command', command: name } as const
    const again = { id: `${name}/${attempts}`, kind: 'work', queue: 'urgent', message, notBefore: dueAt } as const
    const document = { ...before, attempts, dueAt, updatedAt: timestamp(now), outbox: [...before.outbox, again] }
    return succeed({ kind: 'write', document, value: undefined })
  })
}

async function finish(
  deps: CommandDeps,
  { name, replyTo, origin, sender }: CommandDocument,
  { caller, answer }: Outcome,
  isLate: () => boolean,
): Promise<CommandAnswer> {
  const changed = await changeDocument(deps.store, 'command', name, (stored) => {
    const before = stored?.value
    if (!before || before.state === 'done') return succeed({ kind: 'leave', value: before?.answer ?? answer })
    const now = deps.clock.now()
    const { dueAt: _due, ...rest } = before
    const isOwed = isLate() && replyTo.kind !== 'none'
    const document: CommandDocument = {
      ...rest,
      // Without groups: there may be thousands, and what they were good for is over.
      ...(caller ? { caller: { ...caller, groups: [] } } : {}),
      state: 'done',
      answer,
      updatedAt: timestamp(now),
      ...(isOwed ? { owed: true, dueAt: timestamp(now + TELLING_MS) } : { replyTo: { kind: 'none' } }),
    }
    return succeed({ kind: 'write', document, value: answer })
  })
  if (!changed.ok) throw new RetryLater(changed.failure.detail)
  const { value, stored, written } = changed.value
  if (written) deps.logger.log('info', 'command.done', { command: name, from: origin, sender, told: value.audience })
  // The time may have run out while the answer was written.
  if (written && stored && isLate()) await tell(deps, { ...stored.value, replyTo })
  return value
}

/** Sends an owed answer, and takes note. Throws PortError when it should be tried again. */
async function tell(deps: CommandDeps, { name, replyTo, answer }: CommandDocument): Promise<void> {
  if (replyTo.kind === 'none' || !answer) return
  try {
    await deps.messenger.send({ kind: 'slack-response', url: replyTo.url, body: slackAnswer(answer) })
  } catch (error) {
    // The address is good for half an hour and five messages: what it refuses stays refused.
    if (!isPortError(error, 'denied', 'not-found', 'invalid', 'conflict', 'precondition')) throw error
  }
  await changeDocument(deps.store, 'command', name, (stored) => {
    const before = stored?.value
    if (!before || before.replyTo.kind === 'none') return succeed({ kind: 'leave', value: undefined })
    const { owed: _owed, dueAt: _due, ...rest } = before
    const document: CommandDocument = {
      ...rest,
      replyTo: { kind: 'none' },
      updatedAt: timestamp(deps.clock.now()),
    }
    return succeed({ kind: 'write', document, value: undefined })
  })
}
