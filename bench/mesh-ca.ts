import { isCaRotationOver, spreadMs } from '../src/model/ca-rotation.ts'
import { NO_FAULTS } from '../test/simulation/faults.ts'
import type { MeshSide } from '../test/simulation/mesh-side.ts'
import { caOf, ended, putPods, registerCa, rotate } from '../test/simulation/scenario/mesh-ca-scene.ts'
import { runSimulation, type Simulation } from '../test/simulation/simulation.ts'
import { createTenant, type Tenant } from '../test/simulation/surroundings.ts'
import type { Figure } from './figure.ts'

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS
/** As on AKS: leaves of a day, and a driver that looks every two minutes. */
const MESH = { ttl: { text: '24h', ms: DAY_MS }, pollMs: 2 * MINUTE_MS, tickMs: 15_000, tells: true } as const
const HABITS = { lockMs: 30_000, doubles: 0, forgetsFeed: 0, feed: false, pollMs: { queue: 100, feed: 1000 } } as const
const WAITS: Readonly<Record<string, string>> = {
  preparing: 'the root is made in the vault',
  widening: 'every trust bundle holds both roots',
  trusting: 'every proxy trusts both roots',
  switching: 'istiod signs with the new intermediate',
  renewing: 'every leaf is of the new intermediate',
  narrowing: 'every trust bundle holds the new root alone',
}
/** Phases that are over within seconds or minutes. */
const BRIEF = ['requested', 'preparing', 'widening', 'switching', 'narrowing']

interface Begun {
  readonly phase: string
  /** Epoch milliseconds. */
  readonly at: number
}

/** Phases of rotations of a mesh CA with workload certificates of 24 h, in the simulation's virtual time. */
export async function meshCa(): Promise<readonly Figure[]> {
  const tenant = await createTenant()
  const figures: Figure[] = []
  for (const what of ['intermediate', 'root'] as const) {
    for (const restarts of [false, true]) figures.push(...(await rotation(tenant, what, restarts)))
  }
  return figures
}

async function rotation(tenant: Tenant, what: 'intermediate' | 'root', restarts: boolean): Promise<readonly Figure[]> {
  const phases: Begun[] = []
  const parts = { clusters: ['east'], meshCa: MESH, instances: 1, rates: NO_FAULTS, habits: HABITS }
  const result = await runSimulation({ seed: 0, tenant, ...parts }, async (simulation) => {
    const mesh = await registerCa(simulation, { kind: 'vault-key', hsm: false })
    await ended(simulation, mesh, 'succeeded', 1)
    putPods(simulation, 5)
    // The driver looks at another time than the rotation begins.
    await simulation.time.sleep(5 * MINUTE_MS)
    await rotate(simulation, what)
    await follow(simulation, mesh, phases, restarts)
  })
  if (result.broken.length > 0) throw new Error(result.broken.join('; '))
  return figuresOf(phases, what, restarts)
}

/** Notes when each phase begins, until the rotation is over; Pods are restarted as soon as that takes a gate on. */
async function follow(simulation: Simulation, mesh: MeshSide, phases: Begun[], restarts: boolean): Promise<void> {
  const { time } = simulation
  for (;;) {
    const { rotation } = caOf(simulation)
    if (!rotation) throw new Error('the rotation is gone')
    const { phase, phaseSince, takenAt } = rotation
    if (phases.at(-1)?.phase !== phase) {
      phases.push({ phase, at: Date.parse(phaseSince) })
      if (isCaRotationOver(rotation)) return
      if (restarts && takenAt !== undefined && !BRIEF.includes(phase)) {
        await time.sleep(Date.parse(takenAt) + spreadMs(mesh.ttl.ms) + 1000 - time.now())
        putPods(simulation, 0)
        await time.sleep(1000)
        putPods(simulation, 5)
      }
    }
    await time.sleep(BRIEF.includes(phase) ? 100 : 5000)
  }
}

function figuresOf(phases: readonly Begun[], what: 'intermediate' | 'root', restarts: boolean): readonly Figure[] {
  const name = `${what}, leaves of 24 h${restarts ? ', Pods restarted' : ''}`
  const [first, last] = [phases[0]?.at ?? 0, phases.at(-1)?.at ?? 0]
  const rows = phases.slice(0, -1).flatMap(({ phase, at }, index): Figure[] => {
    const note = `from ${clock(at - first)}, until ${WAITS[phase]}`
    const end = phases[index + 1]?.at ?? at
    return WAITS[phase] === undefined
      ? []
      : [{ name: `${name}: ${phase}`, value: (end - at) / MINUTE_MS, unit: 'min', note }]
  })
  const waits = what === 'root' ? 2 : 1
  // On paper: the waits for proxies, and for each of the other phases the driver's poll with half a minute around it.
  const proxies = waits * (spreadMs(DAY_MS) + (restarts ? MINUTE_MS : DAY_MS))
  const limit = (proxies + (what === 'root' ? 3 : 1) * (MESH.pollMs + MINUTE_MS / 2)) / MINUTE_MS
  return [
    ...rows,
    { name: `${name}: all`, value: (last - first) / MINUTE_MS, unit: 'min', limit, note: clock(last - first) },
  ]
}

/** `48:34:10`: hours, minutes, seconds. */
function clock(ms: number): string {
  const seconds = Math.round(ms / 1000)
  const two = (value: number) => String(value).padStart(2, '0')
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`
}
