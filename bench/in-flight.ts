import type { Figure } from './figure.ts'
import { METRICS, type OneCore, startOneCore, type Tally } from './releases/one-core.ts'
import type { Shown } from './releases/release.ts'
import { objectsOf, servicesOf, specOf, teamOf } from './releases/setting.ts'

const MINUTE = 60_000
/** Of which one look a minute, and one where the step ends. */
const STEP = '4m'

/**
 * A thousand rollouts in flight at once, on one core and in virtual time: Meshwright with the emulators of its store, its
 * queues, a cluster's API and its metrics in one process. What a step costs a rollout, from the first look at it to the
 * last; `IN_FLIGHT=100` measures fewer.
 */
export async function inFlight(): Promise<readonly Figure[]> {
  const count = Number(process.env.IN_FLIGHT ?? 1000)
  const core = await startOneCore()
  try {
    const ids = await release(core, count)
    await core.pass(MINUTE / 2)
    await expectStep(core, ids, 0)
    const [before, cpu] = [core.tally(), process.cpuUsage()]
    // The step, the delay of its metrics, and the next step's way to the cluster.
    await core.pass(5 * MINUTE)
    const { user, system } = process.cpuUsage(cpu)
    const perStep = difference(before, core.tally(), count)
    await expectStep(core, ids, 1)
    return [
      figure(`${count} in flight, a step: CPU`, (user + system) / 1e6 / count, 's', 'all emulators included'),
      ...[...perStep].map(([name, value]) => figure(`${count} in flight, a step: ${name}`, value, 'a rollout')),
    ]
  } finally {
    core.restore()
  }
}

async function release(core: OneCore, count: number): Promise<readonly string[]> {
  const services = servicesOf(count)
  core.put(services.flatMap(objectsOf))
  await core.call('admin', 'PUT', '/teams/shop', teamOf(services))
  await core.call('operator', 'PUT', '/clusters/one', { kubeconfig: { context: 'one' }, metrics: METRICS })
  await core.pass(MINUTE)
  for (const service of services) await core.call('deployer', 'PUT', `/services/${service}`, specOf(service))
  await core.pass(MINUTE)
  const ids: string[] = []
  for (const service of services) {
    const body = { candidate: 'v2', steps: [10, 50].map((weight) => ({ weight, for: STEP })) }
    ids.push((await core.call<Shown>('deployer', 'POST', `/services/${service}/rollouts`, body)).id)
  }
  return ids
}

async function expectStep(core: OneCore, ids: readonly string[], step: number): Promise<void> {
  for (const id of ids) {
    const shown = await core.call<Shown>('viewer', 'GET', `/rollouts/${id}`)
    if (shown.step !== step) throw new Error(`${id} is ${shown.phase} in step ${shown.step}: ${shown.message}`)
  }
}

function difference(before: Tally, after: Tally, count: number): Tally {
  return new Map(
    [...after]
      .sort()
      .map(([name, value]) => [name, Math.round(((value - (before.get(name) ?? 0)) / count) * 100) / 100]),
  )
}

function figure(name: string, value: number, unit: string, note?: string): Figure {
  return { name, value, unit, ...(note === undefined ? {} : { note }) }
}
