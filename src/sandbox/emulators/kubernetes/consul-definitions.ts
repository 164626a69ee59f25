import { definitionOf } from './custom-resources.ts'
import type { JsonObject, KubernetesObject } from './json.ts'
import type { KubernetesEmulator } from './kubernetes-emulator.ts'

const group = 'consul.hashicorp.com'
const KINDS: readonly (readonly [kind: string, plural: string])[] = [
  ['ServiceDefaults', 'servicedefaults'],
  ['ServiceIntentions', 'serviceintentions'],
  ['ServiceResolver', 'serviceresolvers'],
  ['ServiceSplitter', 'servicesplitters'],
  ['ServiceRouter', 'servicerouters'],
]

/** The CustomResourceDefinitions of consul-k8s that services are written with, as objects to seed. */
export function consulDefinitions(): KubernetesObject[] {
  const spec: JsonObject = { type: 'object' }
  return KINDS.map(([kind, plural]) => definitionOf({ group, versions: ['v1alpha1'], kind, plural, spec }))
}

/**
 * Stands in for consul-k8s on an emulated cluster: every change of a spec is synced at once, unless `refuse` has words against
 * it. `now` in epoch milliseconds.
 */
export function runConsul(
  kubernetes: Pick<KubernetesEmulator, 'onWrite' | 'seed' | 'get'>,
  now: () => number,
  refuse: (object: KubernetesObject) => string | undefined = () => undefined,
): void {
  const seen = new Map<string, unknown>()
  kubernetes.onWrite(({ object }) => {
    const { namespace = '', name = '', uid, generation } = object.metadata
    const stored = kubernetes.get(object.apiVersion, object.kind, namespace, name)
    if (!object.apiVersion.startsWith(`${group}/`) || !stored) return
    const key = `${object.kind} ${namespace}/${name}`
    const at = `${uid} ${generation}`
    if (seen.get(key) === at) return
    seen.set(key, at)
    const why = refuse(stored)
    const time = `${new Date(now()).toISOString().slice(0, 19)}Z`
    const condition = why
      ? { type: 'Synced', status: 'False', reason: 'ConsulAgentError', message: why, lastTransitionTime: time }
      : { type: 'Synced', status: 'True', lastTransitionTime: time }
    const status = { ...(stored.status as JsonObject | undefined), conditions: [condition] }
    kubernetes.seed([{ ...stored, status: why ? status : { ...status, lastSyncedTime: time } }])
  })
}
