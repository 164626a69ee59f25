import type { CommandAnswer, CommandState } from '../model/command.ts'
import { type CommandDocument, SCHEMA } from '../model/documents.ts'
import { timestamp } from '../model/names.ts'
import { isPortError } from '../ports/port-error.ts'
import type { Stored } from '../ports/store.ts'
import { type CommandDeps, carryOutCommand } from './carry-out-command.ts'
import { slackAnswer } from './slack-answer.ts'

/** What a message asks for, before it is stored. */
export type AskedCommand = Pick<CommandState, 'name' | 'text' | 'sender' | 'origin' | 'replyTo'> &
  Partial<Pick<CommandState, 'from' | 'caller'>>

const KEPT_S = 7 * 24 * 3600
/** A verb, a name and a note have less. */
const MOST_TEXT = 4000
/** The call that took it in has its try first. */
const OWN_TRY_MS = 6000
const BACKSTOP_MS = 30_000
/** Not "nothing was done": a write whose answer was lost may have been made all the same. */
export const NOT_STORED =
  'I cannot tell whether I took this in. Ask for status in a minute, and again if nothing came of it.'

export interface Patience {
  /** Epoch milliseconds. */
  readonly until: number
  /** Nobody sees what the call answers: what came of it is sent, however fast it was. */
  readonly answerIsSent?: boolean
}

/**
 * Takes a command in: stores it, then carries it out within the call. Answers what it said, or undefined when it is not
 * done in time: then it goes on here, and the queue has it too. The same command again is answered as it was. Throws
 * PortError when it could not be stored in time; one that turns out later not to be stored is told so where it asked.
 */
export async function receiveCommand(
  deps: CommandDeps,
  asked: AskedCommand,
  { until, answerIsSent = false }: Patience,
): Promise<CommandAnswer | undefined> {
  let isLate = answerIsSent
  let isAnswered = false
  const carried = takeIn(deps, asked, () => isLate)
  carried.catch((error: unknown) => (isAnswered ? tellNotStored(deps, asked, error) : undefined))
  const done = new AbortController()
  const waited = deps.clock.sleep(Math.max(0, until - deps.clock.now()), done.signal).then(
    () => {
      isLate = true
      isAnswered = true
      return undefined
    },
    () => undefined,
  )
  try {
    return await Promise.race([carried, waited])
  } finally {
    isLate = true
    done.abort()
  }
}

/** Throws PortError when the command could not be stored; what goes wrong after that is the queue's to repeat. */
async function takeIn(
  deps: CommandDeps,
  asked: AskedCommand,
  isLate: () => boolean,
): Promise<CommandAnswer | undefined> {
  const { value, session } = await store(deps, asked, OWN_TRY_MS)
  if (value.state === 'done') return value.answer
  try {
    return await carryOutCommand(deps, asked.name, { isLate, ...(session === undefined ? {} : { session }) })
  } catch (error) {
    deps.logger.log('warn', 'command.in-call-failed', { command: asked.name, error })
    return undefined
  }
}

/** The asker was told to wait. Where nothing can be sent, who asks for status sees that nothing came of it. */
async function tellNotStored({ logger, messenger }: CommandDeps, { replyTo }: AskedCommand, error: unknown) {
  logger.log('warn', 'command.not-stored', { error })
  if (replyTo.kind !== 'slack') return
  const body = slackAnswer({ text: NOT_STORED, audience: 'asker' })
  await messenger.send({ kind: 'slack-response', url: replyTo.url, body }).catch(() => undefined)
}

/** Takes a command in that nobody waits for. */
export async function queueCommand(deps: Pick<CommandDeps, 'store' | 'clock'>, asked: AskedCommand): Promise<void> {
  await store(deps, asked, 0)
}

async function store(
  deps: Pick<CommandDeps, 'store' | 'clock'>,
  asked: AskedCommand,
  delayMs: number,
): Promise<Stored<CommandDocument>> {
  const document = commandDocument(asked, deps.clock.now(), delayMs)
  try {
    return await deps.store.create(document)
  } catch (error) {
    if (!isPortError(error, 'conflict')) throw error
    const known = await deps.store.read('command', asked.name)
    if (!known) throw error
    return known
  }
}

function commandDocument(asked: AskedCommand, now: number, delayMs: number): CommandDocument {
  const at = timestamp(now)
  const message = { kind: 'command', command: asked.name } as const
  const notBefore = delayMs === 0 ? {} : { notBefore: timestamp(now + delayMs) }
  return {
    ...asked,
    text: asked.text.slice(0, MOST_TEXT),
    schema: SCHEMA,
    kind: 'command',
    state: 'waiting',
    attempts: 0,
    outbox: [{ id: `${asked.name}/0`, kind: 'work', queue: 'urgent', message, ...notBefore }],
    dueAt: timestamp(now + BACKSTOP_MS),
    ttl: KEPT_S,
    createdAt: at,
    updatedAt: at,
  }
}
