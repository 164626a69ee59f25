import type { CertificateDocument } from '../../../src/model/documents.ts'
import type { Called } from '../client.ts'
import type { Simulation } from '../simulation.ts'

/** What certificates are in a story. */
export type CertificateBody = Readonly<Record<string, unknown>>

/** What the API has accepted of certificates. Calls about one come one after the other, each with a key of its own. */
export interface CertificateLedger {
  readonly names: readonly string[]
  /** What it was last told to be; undefined when it was deleted. */
  body(name: string): CertificateBody | undefined
  put(name: string, body: CertificateBody): Promise<Called>
  remove(name: string): Promise<Called>
  done(): Promise<void>
  check(): void
}

interface Entry {
  body: CertificateBody | undefined
  /** A removal that may still come. */
  mayVanish: boolean
  last: Promise<unknown>
}

export function createCertificateLedger(simulation: Simulation, names: readonly string[]): CertificateLedger {
  const entries = new Map(
    names.map((name): [string, Entry] => [name, { body: undefined, mayVanish: false, last: Promise.resolve() }]),
  )
  let keys = 0
  const entryOf = (name: string): Entry => entries.get(name) as Entry
  const inTurn = (entry: Entry, call: () => Promise<Called>): Promise<Called> => {
    const mine = entry.last.then(call)
    entry.last = mine
    return mine
  }
  return {
    names,
    body: (name) => entryOf(name).body,
    put(name, body) {
      const entry = entryOf(name)
      return inTurn(entry, async () => {
        keys += 1
        const operation = { method: 'PUT', path: `/certificates/${name}`, as: 'operator', body } as const
        const called = await simulation.client.call({ ...operation, key: `certificate-${keys}` }, 100)
        if (called.reply && called.reply.status < 300) entry.body = body
        else if (!called.reply) simulation.watch.broke(`PUT ${operation.path} got no answer in a hundred tries`)
        return called
      })
    },
    remove(name) {
      const entry = entryOf(name)
      return inTurn(entry, async () => {
        const operation = { method: 'DELETE', path: `/certificates/${name}`, as: 'operator' } as const
        const called = await simulation.client.call(operation, 100)
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
      for (const [name, { body, mayVanish }] of entries) {
        const stored = simulation.watch.documents.get(`certificate/${name}`) as CertificateDocument | undefined
        if (mayVanish && stored === undefined) continue
        const why = differs(stored, body)
        if (why !== undefined) simulation.watch.broke(`certificate ${name} is not what was accepted last: ${why}`)
      }
    },
  }
}

function differs(stored: CertificateDocument | undefined, body: CertificateBody | undefined): string | undefined {
  if (!body || stored?.deletingAt !== undefined) return stored && body === undefined ? 'it was deleted' : undefined
  if (!stored) return 'it is not there'
  const spec = stored.spec as unknown as CertificateBody
  const field = ['dnsNames', 'clusters', 'secret', 'issuer'].find(
    (one) => JSON.stringify(spec[one]) !== JSON.stringify(body[one]),
  )
  return field && `${field} is ${JSON.stringify(spec[field])}, not ${JSON.stringify(body[field])}`
}
