import type { CertificateDocument } from '../../../src/model/documents.ts'
import type { Called } from '../client.ts'
import type { Simulation } from '../simulation.ts'
import { acceptedBodies, type Body } from './accepted.ts'

/** What certificates are in a story. */
export type CertificateBody = Body

/** What the API has accepted of certificates. */
export interface CertificateLedger {
  readonly names: readonly string[]
  /** What it was last told to be; undefined when it was deleted. */
  body(name: string): CertificateBody | undefined
  put(name: string, body: CertificateBody): Promise<Called>
  remove(name: string): Promise<Called>
  done(): Promise<void>
  check(): void
}

export function createCertificateLedger(simulation: Simulation, names: readonly string[]): CertificateLedger {
  const accepted = acceptedBodies(simulation, 'operator', 'certificate')
  const pathOf = (name: string) => `/certificates/${name}`
  return {
    names,
    body: (name) => accepted.of(pathOf(name)).body,
    put: (name, body) => accepted.put(pathOf(name), body),
    remove: (name) => accepted.remove(pathOf(name)),
    done: accepted.done,
    check() {
      for (const name of names) {
        const { body, mayVanish } = accepted.of(pathOf(name))
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
