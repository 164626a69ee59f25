import { fail, type Result } from '../model/failure.ts'
import { formatDuration } from '../model/names.ts'
import type { RequestContext } from '../model/request.ts'
import { isTerminal, type Rollout, type RolloutRequest, type RolloutWave, serviceOfRollout } from '../model/rollout.ts'
import { splitServiceKey } from '../model/service.ts'
import { findRollout } from './read-rollout.ts'
import { idByKey, type StartDeps, startRollout } from './start-rollout.ts'

/** Starts a rollout anew that did not succeed: the same candidate, clusters, steps and gates, under a new id. */
export async function retryRollout(deps: StartDeps, id: string, context: RequestContext): Promise<Result<Rollout>> {
  const rollout = await findRollout(deps.store, id)
  const key = serviceOfRollout(id)
  if (!rollout || key === undefined) return fail('NotFound', `There is no rollout ${id}.`)
  // Its own rollout may be the one of the service by now that it means: the request came again.
  const isAgain = id === idByKey(key, context)
  if (!isAgain && (!isTerminal(rollout.phase) || rollout.phase === 'succeeded')) {
    return fail(
      'RolloutState',
      `Rollout ${id} is ${rollout.phase}: only one that ended without success can be retried.`,
    )
  }
  const { namespace, name } = splitServiceKey(key)
  return startRollout(deps, namespace, name, requestOf(rollout), context, id)
}

function requestOf(rollout: Rollout): RolloutRequest {
  return {
    candidate: candidateOf(rollout),
    strategy: rollout.strategy,
    clusters: rollout.targets.map((target) => target.cluster),
    steps: [...rollout.steps],
    gates: [...rollout.gates],
    bake: formatDuration(rollout.bakeMs),
    minEvents: rollout.minEvents,
    patience: formatDuration(rollout.patienceMs),
    readyTimeout: formatDuration(rollout.readyTimeoutMs),
    onBlind: rollout.onBlind,
    ...wavesOfRequest(rollout),
    ...(rollout.source ? { source: rollout.source } : {}),
  }
}

/** Waves as they were planned: a cluster that the rollout went on without is in its wave again. */
function wavesOfRequest({ waves, onHarm, affinity, windows }: Rollout): Partial<RolloutRequest> {
  return {
    ...(waves ? { waves: waves.map(waveOfRequest) } : {}),
    ...(onHarm ? { onHarm } : {}),
    ...(affinity ? { affinity: { cookie: affinity.cookie, maxAge: formatDuration(affinity.maxAgeMs) } } : {}),
    ...(windows ? { windows: [...windows] } : {}),
  }
}

function waveOfRequest({ name, clusters, steps, bakeMs }: RolloutWave) {
  return {
    name,
    clusters: [...clusters],
    steps: [...steps],
    ...(bakeMs === 0 ? {} : { bake: formatDuration(bakeMs) }),
  }
}

function candidateOf({ candidate, image }: Rollout): RolloutRequest['candidate'] {
  if (!image) return candidate
  const { '': only, ...images } = image.images
  return { name: candidate, image: only ?? images, replicas: image.replicas }
}
