import type { DeliveredObject } from '../../model/certificate.ts'
import type { KubeObject } from '../../model/kube.ts'
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
  const current = keysOf(wanted)
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

/** What the certificate is delivered by now. */
function keysOf(wanted: Wanted): readonly string[] {
  if (wanted.spec.delivery === 'secret') return [refKey(secretRef(wanted))]
  const place = { namespace: wanted.spec.secret.namespace, name: keeperName(wanted.name) }
  return [refKey({ ...PROVIDER_CLASS, ...place }), refKey({ ...DEPLOYMENT, ...place })]
}

/** The driver's kinds go with its add-on. */
async function getIfServed(api: ClusterApi, entry: DeliveredObject): Promise<KubeObject | undefined> {
  try {
    return await api.get(entry)
  } catch (error) {
    if (isPortError(error, 'not-found')) return undefined
    throw error
  }
}
