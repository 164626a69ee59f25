import type { CommandAnswer, CommandState } from '../model/command.ts'
import { type CommandDocument, SCHEMA } from '../model/documents.ts'
import { timestamp } from '../model/names.ts'
import { isPortError } from '../ports/port-error.ts'
import type { Stored } from '../ports/store.ts'
import { type CommandDeps, carryOutCommand } from './carry-out-command.ts'

/** What a message asks for, before it is stored. */
export type AskedCommand = Pick<CommandState, 'name' | 'text' | 'sender' | 'origin' | 'replyTo'> &
  Partial<Pick<CommandState, 'from' | 'caller'>>

const KEPT_S = 7 * 24 * 3600
/** A verb, a name and a note have less. */
const MOST_TEXT = 4000
/** The call that took it in has its try first. */
const OWN_TRY_MS = 6000
const BACKSTOP_MS = 30_000

export interface Patience {
  /** Epoch milliseconds. */
  readonly until: number
  /** Nobody sees what the call answers: what came of it is sent, however fast it was. */
  readonly answerIsSent?: boolean
}

/**
 * Takes a command in: stores it, then carries it out within the call. Answers what it said, or undefined when it is not
 * done in time: then it goes on here, and the queue has it too. The same command again is answered as it was. Throws
 * PortError when it could not be stored: nothing is done then.
 */
export async function receiveCommand(
  deps: CommandDeps,
  asked: AskedCommand,
  { until, answerIsSent = false }: Patience,
): Promise<CommandAnswer | undefined> {
  const { value, session } = await store(deps, asked, OWN_TRY_MS)
  if (value.state === 'done') return value.answer
  let isLate = answerIsSent
  const carried = carryOutCommand(deps, asked.name, {
    isLate: () => isLate,
    ...(session === undefined ? {} : { session }),
  }).catch((error: unknown) => {
    deps.logger.log('warn', 'command.in-call-failed', { command: asked.name, error })
    return undefined
  })
  const done = new AbortController()
  const waited = deps.clock.sleep(Math.max(0, until - deps.clock.now()), done.signal).then(
    () => {
      isLate = true
      return undefined
    },
    () => undefined,
  )
  const answer = await Promise.race([carried, waited])
  isLate = true
  done.abort()
  return answer
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
