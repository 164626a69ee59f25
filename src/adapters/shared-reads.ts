import { canonicalJson } from '../model/digest.ts'
import type { DocumentKind } from '../model/documents.ts'
import type { Clock } from '../ports/clock.ts'
import type { PlainStore } from './relaying-store.ts'

/** Few, read by all work on any service, and not handed from writer to reader by a session token. */
const SHARED: readonly DocumentKind[] = ['cluster', 'freeze', 'strategy', 'team']
/** Nobody waits longer for a read that began before: it may be one that hangs. */
const MOST_WAIT_MS = 100
/** Given as the reason, for without one each wait would make an exception with a stack. */
const OVER = new Error('it is over')

/**
 * A store in which those who ask for the same at the same time share an answer, but never one that was asked for before they
 * came: while a read is on its way, all who come meanwhile wait for its end and share the next. So everybody sees at least
 * what was written before he asked, as with a read of his own: a freeze that was put a moment ago holds the write that
 * begins now. It is the load that is bounded: a hundred services released at once ask for the freezes as often as one does.
 */
export function sharingReads(store: PlainStore, clock: Clock): PlainStore {
  const share = sharedQuestions(clock)
  return {
    ...store,
    read(kind, key, session) {
      const ask = () => store.read(kind, key, session)
      return session === undefined && SHARED.includes(kind) ? share(`read ${kind} ${key}`, ask) : ask()
    },
    // Every service: asked for by each rollout that wants its place.
    all: (kind, query = {}) => share(`all ${kind} ${canonicalJson(query)}`, () => store.all(kind, query)),
  }
}

interface Line {
  readonly running: Promise<unknown>
  /** Begins when `running` is over, or has taken too long. */
  next?: Promise<unknown>
}

function sharedQuestions(clock: Clock): <T>(question: string, ask: () => Promise<T>) => Promise<T> {
  const lines = new Map<string, Line>()
  const begin = <T>(question: string, ask: () => Promise<T>): Promise<T> => {
    const running = ask()
    const line: Line = { running }
    lines.set(question, line)
    const over = () => {
      if (lines.get(question) === line && line.next === undefined) lines.delete(question)
    }
    running.then(over, over)
    return running
  }
  return <T>(question: string, ask: () => Promise<T>): Promise<T> => {
    const line = lines.get(question)
    if (!line) return begin(question, ask)
    line.next ??= endOrPatience(line.running, clock).then(() => begin(question, ask))
    return line.next as Promise<T>
  }
}

async function endOrPatience(running: Promise<unknown>, clock: Clock): Promise<void> {
  const ended = new AbortController()
  const end = () => ended.abort(OVER)
  running.then(end, end)
  await clock.sleep(MOST_WAIT_MS, ended.signal).catch(() => undefined)
}
