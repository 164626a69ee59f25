import { isDeepStrictEqual } from 'node:util'
import type { ServiceDocument } from '../../../src/model/documents.ts'
import type { Called, Operation } from '../client.ts'
import type { Simulation } from '../simulation.ts'
import { pathOf, type ServiceName } from './setting.ts'

type Body = Readonly<Record<string, unknown>>

/**
 * What the API has accepted, so that it can be asked at the end whether it was kept. Calls about one service come one
 * after the other, each with a key of its own: then the last accepted one is what must be there, however many tries
 * of it and of earlier ones are still on their way.
 */
export interface Ledger {
  /** What the service was last told to be; undefined when it was deleted or never registered. */
  body(service: ServiceName): Body | undefined
  put(service: ServiceName, body: Body): Promise<Called>
  remove(service: ServiceName): Promise<Called>
  /** Waits for the calls that are under way. */
  done(): Promise<void>
  check(): void
}

interface Entry {
  readonly service: ServiceName
  body: Body | undefined
  /** A removal that may still come. */
  mayVanish: boolean
  last: Promise<unknown>
}

export function createLedger(simulation: Simulation): Ledger {
  const entries = new Map<string, Entry>()
  let keys = 0
  const entryOf = (service: ServiceName): Entry => {
    const known = entries.get(pathOf(service))
    const entry = known ?? { service, body: undefined, mayVanish: false, last: Promise.resolve() }
    entries.set(pathOf(service), entry)
    return entry
  }
  const inTurn = (entry: Entry, call: () => Promise<Called>): Promise<Called> => {
    const mine = entry.last.then(call)
    entry.last = mine
    return mine
  }
  return {
    body: (service) => entryOf(service).body,
    put(service, body) {
      const entry = entryOf(service)
      return inTurn(entry, async () => {
        keys += 1
        const operation: Operation = { method: 'PUT', path: pathOf(service), as: 'deployer', body, key: `put-${keys}` }
        const called = await simulation.client.call(operation, 100)
        if (called.reply && called.reply.status < 300) entry.body = body
        else if (!called.reply) simulation.watch.broke(`PUT ${pathOf(service)} got no answer in a hundred tries`)
        return called
      })
    },
    remove(service) {
      const entry = entryOf(service)
      return inTurn(entry, async () => {
        const called = await simulation.client.call({ method: 'DELETE', path: pathOf(service), as: 'deployer' }, 100)
        const status = called.reply?.status ?? 0
        if ((status >= 200 && status < 300) || status === 404) entry.body = undefined
        if (called.doubtful) entry.mayVanish = true
        return called
      })
    },
    async done() {
      for (const entry of entries.values()) await entry.last
    },
    check() {
      for (const { service, body, mayVanish } of entries.values()) {
        const stored = simulation.watch.documents.service(pathOf(service).slice('/services/'.length))
        const why = differs(stored, body)
        if (why !== undefined && !(mayVanish && stored === undefined)) {
          simulation.watch.broke(`${pathOf(service)} is not what was accepted last: ${why}`)
        }
      }
    },
  }
}

function differs(stored: ServiceDocument | undefined, body: Body | undefined): string | undefined {
  if (!body) return stored === undefined ? undefined : 'it was deleted and is there'
  if (!stored) return 'it is not there'
  const spec = stored.spec as unknown as Body
  // A rollout may have brought a version along.
  const same = (field: string) =>
    field === 'versions'
      ? Object.entries(body[field] as Body).every(([name, value]) =>
          isDeepStrictEqual((spec[field] as Body)[name], value),
        )
      : isDeepStrictEqual(spec[field], body[field])
  const fields = Object.keys(body).filter((field) => !same(field))
  return fields.length === 0
    ? undefined
    : `${fields.map((field) => `${field} is ${JSON.stringify(spec[field])}`).join(', ')}`
}
