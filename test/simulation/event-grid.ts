import { gridEventOf } from '../../src/sandbox/sandbox-vault.ts'
import type { Chance } from '../../src/sandbox/world/chance.ts'
import { HOOKS } from './azure-side.ts'
import type { Client } from './client.ts'
import type { Surroundings } from './surroundings.ts'
import type { Trace } from './trace.ts'
import type { VirtualTime } from './virtual-time.ts'

export interface EventGridOptions {
  readonly time: VirtualTime
  readonly chance: Chance
  readonly trace: Trace
  readonly client: Client
  readonly surroundings: Surroundings
}

const LOST = 0.25
const DOUBLED = 0.25

/** Carries the vault's events to the app: late, and some never or twice. */
export function listenToVault({ time, chance, trace, client, surroundings }: EventGridOptions): void {
  surroundings.azure?.onEvent((event) => {
    const copies = chance.next() < LOST ? 0 : chance.next() < DOUBLED ? 2 : 1
    trace.add(`event grid ${event.type} ${event.name} ${copies} times`)
    for (let copy = 0; copy < copies; copy += 1) {
      const headers = { 'content-type': 'application/json', 'x-meshwright-key': HOOKS.eventGrid }
      const post = () => {
        const body = JSON.stringify([{ id: `${event.version}`, ...gridEventOf(event, time.now()) }])
        void client.post('/hooks/key-vault', body, headers)
      }
      time.after(Math.round(300 * 100 ** chance.next()), post)
    }
  })
}
