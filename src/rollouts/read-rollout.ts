import { type Rollout, serviceOfRollout } from '../model/rollout.ts'
import type { Store } from '../ports/store.ts'

/** A rollout by id, live or ended: two point reads at most. Undefined when there is none. */
export async function findRollout(store: Store, id: string, session?: string): Promise<Rollout | undefined> {
  const key = serviceOfRollout(id)
  if (key === undefined) return undefined
  const service = (await store.read('service', key, session))?.value
  const live = service?.rollouts.find((rollout) => rollout.id === id)
  if (live) return live
  const ended = await store.read('rollout', `${key}/${id}`, session)
  if (ended) return ended.value.rollout
  // It has just ended and its copy is still in the outbox.
  const waiting = service?.outbox.find((entry) => entry.kind === 'archive' && entry.key === `${key}/${id}`)
  return waiting?.kind === 'archive' ? (waiting.value as { rollout: Rollout }).rollout : undefined
}
