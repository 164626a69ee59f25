import type { TrustState } from '../../model/trust.ts'
import type { Told } from '../certificates/delivery-pass.ts'
import type { Obstacle } from '../certificates/obstacles.ts'
import type { LiveIdentity } from './identity-scene.ts'

/** What a pass over the two objects found and did. */
export interface IdentityPass {
  /** What lies there now. Holds a key: for memory only. */
  readonly live: LiveIdentity
  /** What was brought there and is there now, read back; absent: nothing is as it was brought. */
  readonly delivered?: TrustState['delivered']
  /** Why not all is there that is wanted. */
  readonly trouble?: Obstacle
  /** Another hand's change was undone. */
  readonly restored?: boolean
  readonly told: readonly Told[]
}
