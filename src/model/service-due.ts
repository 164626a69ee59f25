import type { ServiceDocument } from './documents.ts'

/** When something of a service is due next, RFC 3339: a look at a live rollout, or at a change on its way. Undefined: nothing is. */
export function serviceDueAt({
  rollouts,
  spread,
}: Pick<ServiceDocument, 'rollouts' | 'spread'>): ServiceDocument['dueAt'] {
  const dues = [...rollouts.map(({ nextAttemptAt }) => nextAttemptAt), spread?.lookAt]
  return dues.filter((due) => due !== undefined).sort()[0]
}
