import type { KubeObject, KubeRef } from '../../model/kube.ts'
import type { ClusterApi } from '../../ports/cluster-api.ts'
import { isPortError } from '../../ports/port-error.ts'
import { refKey } from '../content.ts'
import { type DeliveryPass, deliveredObject } from './delivery-pass.ts'
import type { DeliveryScene } from './delivery-scene.ts'
import { DEPLOYMENT, keeperName, PROVIDER_CLASS, secretRef, type Wanted } from './render.ts'

/**
 * A pass with the rest of its inventory as it is now: what was written under a former name, and is gone or was touched by
 * another hand, is not restored, and must not be found to differ at every resync. Throws PortError.
 */
export async function withFormerAsFound(
  { api, wanted, before }: DeliveryScene,
  pass: DeliveryPass,
): Promise<DeliveryPass> {
  const objects = pass.objects ?? before?.objects ?? []
  const current = deliveredBy(wanted).map(refKey)
  const former = objects.filter((entry) => !current.includes(refKey(entry)))
  if (former.length === 0) return pass
  const found = await Promise.all(former.map((entry) => getIfServed(api, entry)))
  const left = found.filter((live, index) => live !== undefined && live.metadata.uid === former[index]?.uid)
  return {
    ...pass,
    objects: [
      ...objects.filter((entry) => current.includes(refKey(entry))),
      ...left.flatMap((live) => (live ? [deliveredObject(live)] : [])),
    ],
  }
}

/** What a certificate is delivered by, as its spec is now. */
export function deliveredBy({ name, spec }: Pick<Wanted, 'name' | 'spec'>): readonly KubeRef[] {
  if (spec.delivery === 'secret') return [secretRef({ spec })]
  const place = { namespace: spec.secret.namespace, name: keeperName(name) }
  return [
    { ...PROVIDER_CLASS, ...place },
    { ...DEPLOYMENT, ...place },
  ]
}

/** The driver's kinds go with its add-on. */
export async function getIfServed(api: ClusterApi, entry: KubeRef): Promise<KubeObject | undefined> {
  try {
    return await api.get(entry)
  } catch (error) {
    if (isPortError(error, 'not-found')) return undefined
    throw error
  }
}
