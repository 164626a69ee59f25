import type { RolloutDocument, ServiceDocument } from '../../../src/model/documents.ts'
import { pick } from '../faults.ts'
import type { Simulation } from '../simulation.ts'
import type { Play } from './actions.ts'
import { behave, must, putCluster, VERSIONS } from './setting.ts'
import { byHand, hasHarm, isHarmed } from './settle.ts'

/** Everything around is well again: clusters, metrics, pods; holds, rivals and freezes are gone. */
export async function heal(play: Play): Promise<void> {
  const { simulation, clusters, services, hands } = play
  const { surroundings, watch } = simulation
  surroundings.receivers.heal()
  for (const cluster of clusters) {
    surroundings.world.putCluster(cluster, { reachable: true, metrics: 'up', metricsDelayMs: 60_000 })
    await must(simulation, putCluster(simulation, cluster))
    for (const service of services) {
      for (const version of VERSIONS) behave(simulation, cluster, service, version, { pods: 2, silent: false })
      await hands.hold(cluster, 'namespace', service, false)
      await hands.hold(cluster, 'route', service, false)
      await hands.rival(cluster, service, false)
    }
  }
  for (const document of watch.documents.all()) {
    if (document.kind !== 'freeze') continue
    await simulation.client.call({ method: 'DELETE', path: `/freezes/${document.name}`, as: 'operator' }, 20)
  }
}

/** People end every rollout that waits for them. */
export async function endRollouts({ simulation }: Play): Promise<void> {
  const { watch, chance } = simulation
  const waiting = watch.documents.all().flatMap((one) => (one.kind === 'service' ? one.rollouts : []))
  for (const { id } of waiting) {
    await must(simulation, {
      method: 'POST',
      path: `/rollouts/${id}/${pick(chance, ['abort', 'rollback'])}`,
      as: 'admin',
    })
  }
}

/** Some services go for good. */
export async function removeSome({ simulation, services, ledger }: Play): Promise<void> {
  for (const service of services) if (simulation.chance.next() < 0.3) await ledger.remove(service)
}

/** The gates told the truth: no bad candidate came through by itself, and no good one was called harmful. */
export function checkTruth({ simulation, bad }: Play): void {
  const documents = simulation.watch.documents.all()
  const ended = documents.filter((one): one is RolloutDocument => one.kind === 'rollout')
  for (const { rollout, service } of ended) {
    const since = bad.get(`${service} ${rollout.candidate}`)
    // A version that was made from an image never fails: beside it one that does, rarely, is worse indeed.
    const faultless = rollout.targets.some(({ stable }) => !VERSIONS.some((version) => version === stable))
    if (hasHarm(rollout) && since === undefined && !faultless) {
      simulation.watch.broke(`${rollout.id}: harm was seen in ${rollout.candidate}, which was always good`)
    }
    if (isHarmed(rollout) && rollout.phase === 'succeeded' && !byHand(rollout)) {
      simulation.watch.broke(`${rollout.id} succeeded with a gate that says harm`)
    }
  }
  const live = documents
    .filter((one): one is ServiceDocument => one.kind === 'service')
    .flatMap(({ rollouts }) => rollouts)
  for (const { id, phase } of live) simulation.watch.broke(`${id} is still ${phase}`)
}

/** What rollouts went through, and how they ended. */
export function countRollouts({ watch, counts }: Simulation): void {
  for (const document of watch.documents.all()) {
    if (document.kind !== 'rollout') continue
    const { rollout } = document
    counts.add(`rollouts ended: ${rollout.phase}`)
    for (const { from, to } of rollout.history) if (from !== to) counts.add(`rollouts went to: ${to}`)
    const { waves = [], steps, affinity, windows, breakGlass, targets, onHarm, image } = rollout
    const all = waves.length > 0 ? waves.flatMap((wave) => wave.steps) : steps
    for (const kind of ['match', 'mirror', 'hold', 'approval', 'analysis', 'webhook'] as const)
      if (all.some((step) => step[kind] !== undefined)) counts.add(`rollouts with: ${kind}`)
    const has = {
      waves: waves.length > 1,
      affinity,
      windows,
      image,
      'broken glass': breakGlass,
      freeze: onHarm === 'freeze',
    }
    for (const [what, is] of Object.entries(has)) if (is) counts.add(`rollouts with: ${what}`)
    for (const { out } of targets) if (out) counts.add(`rollouts with: a cluster out for ${out}`)
  }
}
