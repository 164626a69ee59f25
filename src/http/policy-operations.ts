import { findCondition } from '../model/condition.ts'
import type { Store } from '../ports/store.ts'
import type { Operation } from './operations.ts'

/** How far a change of a policy, or its removal, has come. */
export async function policyState(
  store: Store,
  name: string,
  goal: number | 'delete',
): Promise<Pick<Operation, 'status' | 'message'>> {
  const policy = (await store.read('policy', name))?.value
  if (!policy && goal === 'delete') return { status: 'Succeeded', message: 'It is gone.' }
  if (!policy) return { status: 'Failed', message: 'It was removed before it was done.' }
  if (goal === 'delete' && policy.deletingAt === undefined)
    return { status: 'Failed', message: 'It is not being deleted.' }
  const applied = findCondition(policy.conditions, 'Applied')
  if (goal !== 'delete' && policy.observedGeneration >= goal)
    return { status: 'Succeeded', message: applied?.message ?? 'Every service carries it.' }
  return { status: applied ? 'Running' : 'NotStarted', message: applied?.message ?? 'It has not set out yet.' }
}
