import type { ServiceDocument } from '../../../src/model/documents.ts'
import { isTerminal, type Rollout, type RolloutTarget, type RolloutWave } from '../../../src/model/rollout.ts'
import { sameTraffic } from '../../../src/model/step.ts'
import type { Broke } from './kinds.ts'

/** Waves go in order, harm takes back what it must, and a cluster that the rollout goes on without keeps stable. */
export function checkWaves(was: Rollout, is: Rollout, after: ServiceDocument, broke: Broke): void {
  checkOrder(was, is, broke)
  checkHarm(was, is, broke)
  checkOut(was, is, after, broke)
  const isBack = is.phase === 'rolling-back' || (isTerminal(is.phase) && is.phase !== 'succeeded')
  const left = isBack ? is.targets.filter(hasSome) : []
  if (left[0]) broke(`${is.id} is ${is.phase} and the candidate still gets something on ${left[0].cluster}`)
}

export function hasSome({ weight, match, mirror }: RolloutTarget): boolean {
  return weight > 0 || match !== undefined || mirror !== undefined
}

function wavesOf({ waves, targets, steps }: Rollout): readonly RolloutWave[] {
  return waves ?? [{ name: 'all', clusters: targets.map(({ cluster }) => cluster), steps, bakeMs: 0 }]
}

/** No cluster of a later wave has anything, and the next wave begins when all of this one has the candidate and is baked. */
function checkOrder(was: Rollout, is: Rollout, broke: Broke): void {
  const [from, to] = [was.wave ?? 0, is.wave ?? 0]
  const waves = wavesOf(is)
  for (const { clusters } of waves.slice(to + 1)) {
    const early = is.targets.find((target) => clusters.includes(target.cluster) && hasSome(target))
    if (early) broke(`${is.id} is in wave ${to} and ${early.cluster} of a later one has the candidate`)
  }
  if (to === from) return
  if (to !== from + 1) broke(`${is.id} went from wave ${from} to ${to}`)
  const wave = waves[from]
  const behind = was.targets.find(
    ({ cluster, out, weight }) => wave?.clusters.includes(cluster) && out === undefined && weight !== 100,
  )
  if (behind) broke(`${is.id} begins wave ${to} while ${behind.cluster} has ${behind.weight} %`)
}

const STRONG = 20

/** Harm on a cluster that counts leaves no rollout moving on. */
function checkHarm(was: Rollout, is: Rollout, broke: Broke): void {
  const outOf = (cluster: string) => is.targets.find((target) => target.cluster === cluster)?.out
  const harm = is.progress.filter(({ last, cluster }) => last?.verdict === 'harm' && outOf(cluster) === undefined)
  const moving = !isTerminal(is.phase) && is.phase !== 'rolling-back' && is.phase !== 'paused'
  if (harm[0] && moving) broke(`${is.id} is ${is.phase} though harm is seen on ${harm[0].cluster}`)
  const frozen = is.targets.filter(({ out }, index) => out === 'harm' && was.targets[index]?.out === undefined)
  if (frozen.length === 0) return
  if (is.onHarm !== 'freeze') broke(`${is.id} leaves ${frozen[0]?.cluster} out though harm is to take all back`)
  if (is.phase !== 'paused') broke(`${is.id} goes on by itself after harm`)
  for (const [index, target] of is.targets.entries()) {
    const before = was.targets[index]
    const looks = is.progress.filter(({ cluster }) => cluster === target.cluster)
    // What all clusters together showed is placed where a cluster has strong evidence of its own.
    const least = is.message.includes('all clusters together') ? STRONG : Number.POSITIVE_INFINITY
    const isHarmed = looks.some(({ last }) => last?.verdict === 'harm' || (last?.eValue ?? 0) >= least)
    if (target.out === 'harm' && !isHarmed) broke(`${is.id} takes ${target.cluster} back, which showed no harm`)
    if (!target.out && before && !sameTraffic(before, target))
      broke(`${is.id} moves ${target.cluster} while it freezes`)
  }
}

/** Once out, out for good, with nothing of the candidate and the stable version that it had. */
function checkOut(was: Rollout, is: Rollout, after: ServiceDocument, broke: Broke): void {
  for (const [index, target] of is.targets.entries()) {
    const { cluster, out, stable } = target
    if (was.targets[index]?.out && !out) broke(`${is.id} takes ${cluster} in again`)
    if (!out) continue
    if (hasSome(target)) broke(`${is.id} goes on without ${cluster}, where the candidate gets something`)
    const now = after.targets[cluster]?.stable
    if (now !== undefined && now !== stable) broke(`${is.id} goes on without ${cluster}, where ${now} became stable`)
  }
}
