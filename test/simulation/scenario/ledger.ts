import { isDeepStrictEqual } from 'node:util'
import type { ServiceDocument } from '../../../src/model/documents.ts'
import type { Called } from '../client.ts'
import type { Simulation } from '../simulation.ts'
import { acceptedBodies, type Body } from './accepted.ts'
import { pathOf, type ServiceName } from './setting.ts'

/** What the API has accepted of services. */
export interface Ledger {
  /** What the service was last told to be; undefined when it was deleted or never registered. */
  body(service: ServiceName): Body | undefined
  put(service: ServiceName, body: Body): Promise<Called>
  remove(service: ServiceName): Promise<Called>
  /** Waits for the calls that are under way. */
  done(): Promise<void>
  check(): void
}

export function createLedger(simulation: Simulation): Ledger {
  const accepted = acceptedBodies(simulation, 'deployer', 'put')
  const paths = new Set<string>()
  const known = (service: ServiceName): string => {
    const path = pathOf(service)
    paths.add(path)
    return path
  }
  return {
    body: (service) => accepted.of(known(service)).body,
    put: (service, body) => accepted.put(known(service), body),
    remove: (service) => accepted.remove(known(service)),
    done: accepted.done,
    check() {
      for (const path of paths) {
        const { body, mayVanish } = accepted.of(path)
        const stored = simulation.watch.documents.service(path.slice('/services/'.length))
        const why = differs(stored, body)
        if (why !== undefined && !(mayVanish && stored === undefined)) {
          simulation.watch.broke(`${path} is not what was accepted last: ${why}`)
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
