import { textHash } from '../mesh/linkerd/identity.ts'
import { type CaRotation, leafLifetimeMs } from '../model/ca-rotation.ts'
import type { TrustDocument } from '../model/documents.ts'
import type { MeshCaSpec } from '../model/mesh-ca.ts'
import { timestamp } from '../model/names.ts'
import type { RestartIntent } from '../model/restarts.ts'
import { settledAt } from './gates.ts'
import { anchorsBroughtAt } from './linkerd-gates.ts'
import { wantedOf } from './wanted.ts'

/**
 * What a rotation of Linkerd waits for, as its gates do: the control plane to have started since the anchors came, and every
 * meshed Pod with exactly them; after the issuer changed, all of both to have started since. Undefined: for no Pods. Pure.
 */
export function linkerdRestart(
  rotation: CaRotation,
  { workloadTtl }: Pick<MeshCaSpec, 'workloadTtl'>,
  trust: TrustDocument | undefined,
): RestartIntent | undefined {
  const { phase, takenAt } = rotation
  if (phase === 'renewing') {
    if (takenAt === undefined) return undefined
    return { olderThan: timestamp(settledAt(rotation, leafLifetimeMs({ workloadTtl }, trust))), controlPlane: 'first' }
  }
  const since = anchorsBroughtAt(trust)
  if (Number.isNaN(since)) return undefined
  const olderThan = timestamp(since)
  if (phase === 'widening') return { olderThan, controlPlane: 'alone' }
  const wanted = phase === 'trusting' || phase === 'narrowing' ? wantedOf(rotation) : undefined
  return wanted?.ok ? { olderThan, anchors: textHash(wanted.value.rootCert), controlPlane: 'first' } : undefined
}
