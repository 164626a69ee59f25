import type { Called, Operation } from '../client.ts'
import type { Simulation } from '../simulation.ts'

/** A body of PUT. */
export type Body = Readonly<Record<string, unknown>>

/** What the API was last told of one resource. */
export interface Accepted {
  /** Undefined when it was deleted or never registered. */
  readonly body: Body | undefined
  /** A removal that may still come. */
  readonly mayVanish: boolean
}

/**
 * What the API has accepted, by path, so that it can be asked at the end whether it was kept. Calls about one resource come
 * one after the other, each with a key of its own: then the last accepted one is what must be there, however many tries of
 * it and of earlier ones are still on their way.
 */
export interface AcceptedBodies {
  of(path: string): Accepted
  put(path: string, body: Body): Promise<Called>
  remove(path: string): Promise<Called>
  /** Waits for the calls that are under way. */
  done(): Promise<void>
}

interface Entry {
  body: Body | undefined
  mayVanish: boolean
  last: Promise<unknown>
}

/** `as` is who calls; keys of calls begin with `keyPrefix`. */
export function acceptedBodies(simulation: Simulation, as: Operation['as'], keyPrefix: string): AcceptedBodies {
  const entries = new Map<string, Entry>()
  let keys = 0
  const entryOf = (path: string): Entry => {
    const entry = entries.get(path) ?? { body: undefined, mayVanish: false, last: Promise.resolve() }
    entries.set(path, entry)
    return entry
  }
  const inTurn = (entry: Entry, call: () => Promise<Called>): Promise<Called> => {
    const mine = entry.last.then(call)
    entry.last = mine
    return mine
  }
  return {
    of: entryOf,
    put(path, body) {
      const entry = entryOf(path)
      return inTurn(entry, async () => {
        keys += 1
        const operation: Operation = { method: 'PUT', path, as, body, key: `${keyPrefix}-${keys}` }
        const called = await simulation.client.call(operation, 100)
        if (called.reply && called.reply.status < 300) entry.body = body
        else if (!called.reply) simulation.watch.broke(`PUT ${path} got no answer in a hundred tries`)
        return called
      })
    },
    remove(path) {
      const entry = entryOf(path)
      return inTurn(entry, async () => {
        const called = await simulation.client.call({ method: 'DELETE', path, as }, 100)
        const status = called.reply?.status ?? 0
        if ((status >= 200 && status < 300) || status === 404) entry.body = undefined
        if (called.doubtful) entry.mayVanish = true
        return called
      })
    },
    async done() {
      for (const entry of entries.values()) await entry.last
    },
  }
}
