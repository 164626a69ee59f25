import { keyOf, type ServiceDocument } from '../model/documents.ts'
import type { Rollout } from '../model/rollout.ts'
import { presentWave, waveTargets } from '../model/waves.ts'

/** Names a question: the same for every call of one step, and of no other. No dot, as Standard Webhooks asks: none is in names. */
export function webhookId({ id, wave = 0, step }: Rollout): string {
  return `${id.replaceAll('.', '_')}_${wave}_${step}`
}

/** What a receiver is told of a step. `wave` and `step` count from 0, as in `GET /rollouts/{id}`. */
export function webhookBody(
  service: ServiceDocument,
  rollout: Rollout,
  publicUrl: string | undefined,
): Readonly<Record<string, unknown>> {
  const { id, candidate, phase, wave = 0, step, weight, match, mirror, source } = rollout
  const targets = waveTargets(rollout)
  const address = publicUrl === undefined ? undefined : `${publicUrl}/api/v1/rollouts/${id}`
  return {
    type: 'rollout.step',
    timestamp: rollout.stepSince ?? rollout.weightSince,
    data: {
      rollout: id,
      service: keyOf(service),
      candidate,
      stable: Object.fromEntries(targets.map(({ cluster, stable }) => [cluster, stable])),
      clusters: targets.map(({ cluster }) => cluster),
      phase,
      wave,
      waveName: presentWave(rollout).name,
      step,
      weight,
      ...(match ? { match } : {}),
      ...(mirror === undefined ? {} : { mirror }),
      ...(source ? { source } : {}),
      ...(address === undefined ? {} : { links: { rollout: address, evidence: `${address}/evidence` } }),
    },
  }
}
