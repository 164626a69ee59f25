import type { CaSecretNames } from '../../../src/model/mesh-ca.ts'
import { type CaTexts, readBundle } from '../../../src/sandbox/emulators/istiod/ca-bundle.ts'
import { SANDBOX_VAULT } from '../../../src/sandbox/sandbox-vault.ts'
import { tokenFor } from '../app-tokens.ts'
import { readTexts } from '../mesh-authorities.ts'
import type { MeshSide } from '../mesh-side.ts'
import type { Simulation } from '../simulation.ts'
import { VAULT_AUDIENCE } from '../vault-side.ts'

/** What people do to the four secrets past Meshwright. */
export interface CaHands {
  /** Writes what a secret holds once more: a new version of the same. */
  repeat(mesh: MeshSide, part: keyof CaSecretNames): Promise<void>
  /** Writes what does not belong to the others. From then on the mesh is spoiled. */
  spoil(mesh: MeshSide, part: keyof CaSecretNames): Promise<void>
  /** Writes the set that was whole before it was spoiled, and waits until that is in use; then the mesh is spoiled no more. */
  putBack(mesh: MeshSide): Promise<void>
  texts(mesh: MeshSide): Promise<CaTexts | undefined>
}

const ORDER = ['rootCert', 'certChain', 'caCert', 'caKey'] as const

export function createCaHands(simulation: Simulation): CaHands {
  const { surroundings, time, trace } = simulation
  const whole = new Map<MeshSide, CaTexts>()
  const texts = ({ names }: MeshSide) => readTexts(surroundings.vault, time.now(), names)
  const set = async ({ names }: MeshSide, part: keyof CaSecretNames, value: string) => {
    const { status } = await surroundings.vault.keyVault.handle({
      method: 'PUT',
      url: new URL(`${SANDBOX_VAULT}/secrets/${names[part]}?api-version=7.4`),
      headers: {
        authorization: `Bearer ${tokenFor(VAULT_AUDIENCE, time.now())}`,
        'content-type': 'application/json',
      },
      body: new TextEncoder().encode(JSON.stringify({ value })),
    })
    trace.add(`hands vault PUT ${names[part]} ${status}`)
  }
  return {
    texts,
    async repeat(mesh, part) {
      const value = (await texts(mesh))?.[part]
      if (value !== undefined) await set(mesh, part, value)
    },
    async spoil(mesh, part) {
      const held = await texts(mesh)
      // Of a write that is under way nobody knows what was whole.
      if (!held || !readBundle(held, time.now()).ok) return
      whole.set(mesh, held)
      mesh.isSpoiled = true
      await set(mesh, part, STRANGE[part])
    },
    async putBack(mesh) {
      const former = whole.get(mesh)
      if (!mesh.isSpoiled || !former) return
      whole.delete(mesh)
      for (const part of ORDER) await set(mesh, part, former[part])
      await time.sleep(mesh.pollMs + mesh.ttl.ms + 2 * mesh.tickMs)
      mesh.isSpoiled = false
    },
  }
}

/** What is no PEM, and what is none of the others. */
const STRANGE: CaTexts = {
  rootCert: '-----BEGIN CERTIFICATE-----\nbm90IGEgcm9vdA==\n-----END CERTIFICATE-----\n',
  caCert: 'to be filled in\n',
  certChain: '-----BEGIN CERTIFICATE-----\nbm90IGEgY2hhaW4=\n-----END CERTIFICATE-----\n',
  caKey: 'to be filled in\n',
}
