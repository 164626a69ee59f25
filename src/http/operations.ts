import * as z from 'zod'
import type { ServiceDocument } from '../model/documents.ts'
import { fail, type Result, succeed } from '../model/failure.ts'
import { isTerminal, type Rollout } from '../model/rollout.ts'
import type { Store } from '../ports/store.ts'
import { findRollout } from '../rollouts/read-rollout.ts'
import { observedGeneration, readPlacements } from '../services/read-placements.ts'
import { certificateState, rotationState } from './certificate-operations.ts'
import { policyState } from './policy-operations.ts'
import { viewPlacements } from './views/service-view.ts'

/**
 * The state of a long call. Nothing is stored for it: its id names a resource and what is waited for, and its state is
 * read from the documents. Ids: `cluster.east.3`, `service.shop.web.7` (a generation), `cluster.east.delete`,
 * `certificate.web-tls.2`, `policy.strict.3`, `rotation.web-tls.k3…`, `rollout.shop.web.k3…`.
 */
export const operationView = z
  .object({
    id: z.string(),
    status: z.enum(['NotStarted', 'Running', 'Succeeded', 'Failed']),
    resource: z.string().describe('Path of what it is about'),
    message: z.string().describe('For people'),
  })
  .meta({ id: 'Operation' })
export type Operation = z.infer<typeof operationView>

type State = Pick<Operation, 'status' | 'message'>

export const operationIds = {
  cluster: (name: string, goal: number | 'delete') => `cluster.${name}.${goal}`,
  service: (namespace: string, name: string, goal: number | 'delete') => `service.${namespace}.${name}.${goal}`,
  rollout: (id: string) => `rollout.${id}`,
  certificate: (name: string, goal: number | 'delete') => `certificate.${name}.${goal}`,
  policy: (name: string, goal: number | 'delete') => `policy.${name}.${goal}`,
  rotation: (id: string) => `rotation.${id}`,
}

/** How far an operation is; the failure NotFound when the id names none. */
export async function readOperation(store: Store, id: string): Promise<Result<Operation>> {
  const [kind, ...parts] = id.split('.')
  const goal = goalOf(parts.at(-1))
  const [first = '', second = ''] = parts
  if (kind === 'cluster' && parts.length === 2 && goal !== undefined) {
    return succeed({ id, resource: `/api/v1/clusters/${first}`, ...(await clusterState(store, first, goal)) })
  }
  if (kind === 'service' && parts.length === 3 && goal !== undefined) {
    const resource = `/api/v1/services/${first}/${second}`
    return succeed({ id, resource, ...(await serviceState(store, `${first}/${second}`, goal)) })
  }
  if (kind === 'certificate' && parts.length === 2 && goal !== undefined) {
    return succeed({ id, resource: `/api/v1/certificates/${first}`, ...(await certificateState(store, first, goal)) })
  }
  if (kind === 'policy' && parts.length === 2 && goal !== undefined) {
    return succeed({ id, resource: `/api/v1/policies/${first}`, ...(await policyState(store, first, goal)) })
  }
  const rotation = kind === 'rotation' ? await rotationState(store, parts.join('.')) : undefined
  if (rotation) {
    const { certificate, ...state } = rotation
    return succeed({ id, resource: `/api/v1/certificates/${certificate}`, ...state })
  }
  const rollout = kind === 'rollout' ? await findRollout(store, parts.join('.')) : undefined
  if (rollout) return succeed({ id, resource: `/api/v1/rollouts/${rollout.id}`, ...rolloutState(rollout) })
  return fail('NotFound', `There is no operation ${id}.`)
}

function goalOf(text: string | undefined): number | 'delete' | undefined {
  if (text === 'delete') return text
  return text !== undefined && /^[1-9]\d{0,9}$/.test(text) ? Number(text) : undefined
}

const GONE: State = { status: 'Succeeded', message: 'It is gone.' }
const REMOVED: State = { status: 'Failed', message: 'It was removed before it was done.' }

async function clusterState(store: Store, name: string, goal: number | 'delete'): Promise<State> {
  const cluster = (await store.read('cluster', name))?.value
  if (!cluster) return goal === 'delete' ? GONE : REMOVED
  if (goal === 'delete') {
    if (cluster.deletingAt === undefined) return { status: 'Failed', message: 'It is not being deleted.' }
    return { status: 'Running', message: 'Services are being taken off the cluster.' }
  }
  if (cluster.observedGeneration < goal) {
    const status = cluster.observedGeneration === 0 ? 'NotStarted' : 'Running'
    return { status, message: 'The cluster has not been looked at since.' }
  }
  const message = cluster.conditions.map(
    (condition) => `${condition.type} is ${condition.status}: ${condition.message}`,
  )
  return { status: 'Succeeded', message: message.join(' ') }
}

async function serviceState(store: Store, key: string, goal: number | 'delete'): Promise<State> {
  const service = (await store.read('service', key))?.value
  if (!service) return goal === 'delete' ? GONE : REMOVED
  if (goal === 'delete') {
    if (service.deletingAt === undefined) return { status: 'Failed', message: 'It is not being deleted.' }
    return { status: 'Running', message: `Left to clear: ${service.leaving.join(', ')}.` }
  }
  const placements = await readPlacements(store, service)
  if (observedGeneration(service, placements) >= goal) {
    return { status: 'Succeeded', message: 'Every cluster carries it.' }
  }
  const waves = service.spread ? `${service.spread.applied.message} ` : ''
  const message = waves + obstacles(service, placements, goal)
  return { status: placements.length === 0 ? 'NotStarted' : 'Running', message }
}

function obstacles(
  service: ServiceDocument,
  placements: Awaited<ReturnType<typeof readPlacements>>,
  goal: number,
): string {
  const waiting = viewPlacements(service, placements).filter((view) => view.observedGeneration < goal || view.leaving)
  const words = waiting.map(({ cluster, conditions }) => {
    const ready = conditions.find((condition) => condition.type === 'Ready' && condition.status !== 'True')
    return ready ? `${cluster}: ${ready.message}` : cluster
  })
  return `Waits for ${words.join(', ') || 'its clusters'}.`
}

function rolloutState(rollout: Rollout): State {
  const message = `${rollout.phase}: ${rollout.message}`
  if (rollout.phase === 'succeeded') return { status: 'Succeeded', message }
  if (isTerminal(rollout.phase)) return { status: 'Failed', message }
  return { status: rollout.phase === 'pending' ? 'NotStarted' : 'Running', message }
}
