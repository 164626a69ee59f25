import type { CaRotation } from '../model/ca-rotation.ts'
import type { MeshCaDocument } from '../model/documents.ts'
import type { Random } from '../ports/random.ts'
import type { CaVault } from './ca-vault.ts'

/** What a write works with. */
export interface WriteScene {
  readonly vault: CaVault
  readonly document: MeshCaDocument
  readonly rotation: CaRotation
  readonly now: number
  readonly random: Random
  /** Throws when the lease is too old for another request. */
  mayAsk(): void
  /** The same for putting back what a write left, for which there is time when there is none for more of the write. */
  mayPutBack(): void
}

/** Media type of PEM. */
export const PEM = 'application/x-pem-file'
