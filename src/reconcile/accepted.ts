import type { Barrier } from '../mesh/provider.ts'
import { describeRef, type KubeObject } from '../model/kube.ts'
import { refKey } from './content.ts'
import { entryFor } from './drift.ts'
import type { Situation, Stop } from './situation.ts'

interface ParentRef {
  readonly group?: string
  readonly kind?: string
  readonly namespace?: string
  readonly name?: string
  readonly sectionName?: string
  readonly port?: number
}

interface ParentStatus {
  readonly parentRef?: ParentRef
  readonly controllerName?: string
  readonly conditions?: readonly {
    readonly type?: string
    readonly status?: string
    readonly reason?: string
    readonly message?: string
    readonly observedGeneration?: number
  }[]
}

const WANTED = ['Accepted', 'ResolvedRefs'] as const

/** Why an object is not known to be taken by the mesh; undefined when it is. `changed`: by the writes so far. */
export function acceptedStop(
  situation: Pick<Situation, 'observed'> & Partial<Pick<Situation, 'provider' | 'placement'>>,
  barrier: Extract<Barrier, { kind: 'accepted' }>,
  changed: ReadonlySet<string> = new Set(),
): Stop | undefined {
  const { provider, observed, placement } = situation
  if (!provider?.acceptance) return parentsStop(situation, barrier)
  const key = refKey(barrier.object)
  const live = observed.objects.get(key)
  const entry = entryFor(placement?.objects, barrier.object)
  // What was just written, its status does not speak of yet.
  if (!live || !entry || changed.has(key))
    return waiting(`The mesh is given time to take ${describeRef(barrier.object)}.`)
  const acceptance = provider.acceptance(live, Date.parse(entry.writtenAt ?? entry.changedAt))
  if (acceptance.state === 'accepted') return undefined
  if (acceptance.state === 'waiting') return waiting(acceptance.message)
  return { reason: 'NotAccepted', message: acceptance.message, again: 'poll' }
}

/**
 * Why a route is not accepted by all its parents; undefined when it is. A controller that names no generation (Linkerd
 * never does, and it moves `lastTransitionTime` only when a condition changes) is taken at its present word: the barrier
 * has let it settle.
 */
function parentsStop(
  { observed }: Pick<Situation, 'observed'>,
  { object, controller }: Extract<Barrier, { kind: 'accepted' }>,
): Stop | undefined {
  const live = observed.objects.get(refKey(object))
  const ref = describeRef(object)
  if (!live) return waiting(`${ref} is not there.`)
  for (const parent of listOf<ParentRef>(live.spec?.parentRefs)) {
    const name = `${parent.kind ?? 'Gateway'} ${parent.namespace ?? live.metadata.namespace}/${parent.name}`
    const all = listOf<ParentStatus>(live.status?.parents).filter(
      (status) => isSame(status.parentRef, parent, live) && (!controller || status.controllerName === controller),
    )
    if (all.length === 0) return waiting(`No controller has said yet whether ${name} takes ${ref}.`)
    for (const status of all) {
      const stop = statusStop(status, live, `${name} (${status.controllerName ?? 'unknown controller'})`, ref)
      if (stop) return stop
    }
  }
  return undefined
}

function statusStop(
  { conditions = [] }: ParentStatus,
  live: KubeObject,
  parent: string,
  ref: string,
): Stop | undefined {
  for (const type of WANTED) {
    const condition = conditions.find((one) => one.type === type)
    const generation = condition?.observedGeneration
    if (generation !== undefined && generation < (live.metadata.generation ?? 0))
      return waiting(`${parent} has not looked yet at the newest ${ref}.`)
    if (condition?.status === 'True') continue
    const why = condition ? `${condition.reason ?? condition.status}: ${condition.message ?? ''}` : 'is not told'
    return { reason: 'NotAccepted', message: `${parent} does not take ${ref}: ${type} ${why}`.trim(), again: 'poll' }
  }
  return undefined
}

function waiting(message: string): Stop {
  return { reason: 'WaitingForAcceptance', message, again: 'poll' }
}

function listOf<T>(value: unknown): readonly T[] {
  return Array.isArray(value) ? (value as T[]) : []
}

const GATEWAYS = 'gateway.networking.k8s.io'

/** Do both name the same parent? What is left out is the route's namespace, a Gateway, all listeners; "core" is "". */
function isSame(a: ParentRef | undefined, b: ParentRef, route: KubeObject): boolean {
  if (!a) return false
  const [left, right] = [whole(a, route), whole(b, route)]
  return left.every((part, index) => part === right[index])
}

function whole(ref: ParentRef, { metadata }: KubeObject): readonly (string | number | undefined)[] {
  const { group = GATEWAYS, kind = 'Gateway', namespace = metadata.namespace, name, sectionName = '', port = 0 } = ref
  return [group === 'core' ? '' : group, kind, namespace, name, sectionName, port]
}
