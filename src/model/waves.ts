import type { Rollout, RolloutTarget, RolloutWave } from './rollout.ts'
import type { StepSpec } from './step.ts'

type Waved = Pick<Rollout, 'targets' | 'steps' | 'waves' | 'wave'>

/** The waves of a rollout in order; without any there is one, with all its clusters. */
export function wavesOf({ waves, targets, steps }: Waved): readonly RolloutWave[] {
  return waves ?? [{ name: 'all', clusters: targets.map(({ cluster }) => cluster), steps, bakeMs: 0 }]
}

/** The wave that a rollout is in. */
export function presentWave(rollout: Waved): RolloutWave {
  const waves = wavesOf(rollout)
  const wave = waves[rollout.wave ?? 0] ?? waves.at(-1)
  if (!wave) throw new Error('a rollout without a wave')
  return wave
}

export function isLastWave(rollout: Waved): boolean {
  return (rollout.wave ?? 0) >= wavesOf(rollout).length - 1
}

/** The steps of the present wave. */
export function stepsOf(rollout: Waved): readonly StepSpec[] {
  return presentWave(rollout).steps
}

/** The step that a rollout is at; undefined before the first and after the last. */
export function presentStep(rollout: Waved & Pick<Rollout, 'step'>): StepSpec | undefined {
  return stepsOf(rollout)[rollout.step]
}

/** The clusters of the present wave that the rollout has not gone on without. */
export function waveTargets(rollout: Waved): readonly RolloutTarget[] {
  const { clusters } = presentWave(rollout)
  return rollout.targets.filter(({ cluster, out }) => out === undefined && clusters.includes(cluster))
}

/** `wave 2 of 3 (west)`: the present wave, or the one with this index; nothing where there is one wave. */
export function waveName(rollout: Waved, index = rollout.wave ?? 0): string {
  const waves = wavesOf(rollout)
  const wave = waves[index]
  return waves.length === 1 || !wave ? '' : `wave ${index + 1} of ${waves.length} (${wave.clusters.join(', ')})`
}

/** `wave 2 of 3 (west): `, or nothing where there is one wave. */
export function waveText(rollout: Waved): string {
  const name = waveName(rollout)
  return name === '' ? '' : `${name}: `
}

/** Does a target get anything of the candidate: a share, what matches, or copies? */
export function isExposed({ weight, match, mirror }: Pick<RolloutTarget, 'weight' | 'match' | 'mirror'>): boolean {
  return weight > 0 || match !== undefined || mirror !== undefined
}
