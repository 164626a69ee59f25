import { actOnCa, type CaVerb } from '../../../src/mesh-ca/act-on-ca.ts'
import { advanceCa } from '../../../src/mesh-ca/advance-ca.ts'
import { putMeshCa } from '../../../src/mesh-ca/put-mesh-ca.ts'
import { rotateCa } from '../../../src/mesh-ca/rotate-ca.ts'
import { isCaRotationOver } from '../../../src/model/ca-rotation.ts'
import type { MeshCaDocument } from '../../../src/model/documents.ts'
import type { Role } from '../../../src/model/identity.ts'
import { type MeshCaSpec, meshCaSpec } from '../../../src/model/mesh-ca.ts'
import { PortError } from '../../../src/ports/port-error.ts'
import type { Vaults } from '../../../src/ports/vault.ts'
import { aCaller, aCluster, by } from '../fakes/documents.ts'
import { MemoryCaVault } from '../fakes/memory-ca-vault.ts'
import { MemoryStore } from '../fakes/memory-store.ts'
import { Mesh } from './mesh.ts'

export const VAULT = 'https://mesh.vault.azure.net'
export const START = Date.UTC(2030, 0, 1)
export const MINUTE = 60_000
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR
export const OPERATOR = by({ caller: aCaller({ roles: ['Mesh.Operator'] satisfies Role[] }) })

export function aSpec(change: Readonly<Record<string, unknown>> = {}): MeshCaSpec {
  return meshCaSpec.parse({
    purpose: 'mesh-ca',
    cluster: 'east',
    root: { kind: 'vault-key' },
    intermediate: { key: 'P-256' },
    ...change,
  })
}

export type World = ReturnType<typeof createWorld>

/** Cluster east with a mesh of four Pods, an empty vault, and time that the test lets pass. */
export function createWorld({ ttlMs = DAY }: { readonly ttlMs?: number } = {}) {
  const store = new MemoryStore({ relaying: true })
  let now = START
  let uuids = 0
  const vault = new MemoryCaVault()
  const at = (url: string) => {
    if (url === VAULT) return vault
    throw new PortError('denied', 'Key Vault', `${url} may not be called`)
  }
  const vaults: Vaults = { open: () => never('certificates'), keys: at, secrets: at }
  const clock = { now: () => now, sleep: async () => undefined }
  const random = {
    next: () => 0.5,
    uuid: () => {
      uuids += 1
      return `00000000-0000-4000-8000-${String(uuids).padStart(12, '0')}`
    },
  }
  const deps = { store, clock, random, vaults, vaultUrl: VAULT }
  const mesh = new Mesh(vault, ttlMs)
  store.put(aCluster('east'))
  store.put(aCluster('west'))
  const document = (name = 'east-ca'): MeshCaDocument => store.get('mesh-ca', name)
  const rotation = () => document().rotation
  const advance = async (name = 'east-ca') => {
    const done = await advanceCa(deps, name)
    if (!done.ok) throw new Error(done.failure.detail)
  }
  const see = () => void store.put(mesh.look(now))
  return {
    store,
    vault,
    deps,
    mesh,
    document,
    rotation,
    advance,
    see,
    now: () => now,
    pass: (ms: number) => {
      now += ms
    },
    async put(change: Readonly<Record<string, unknown>> = {}, name = 'east-ca') {
      const put = await putMeshCa(deps, name, aSpec({ workloadTtl: `${ttlMs / 1000}s`, ...change }), OPERATOR)
      if (!put.ok) throw new Error(JSON.stringify(put.failure))
    },
    async rotate(what: 'intermediate' | 'root') {
      const rotated = await rotateCa(deps, 'east-ca', { what }, OPERATOR)
      if (!rotated.ok) throw new Error(JSON.stringify(rotated.failure))
      return rotated.value.rotation
    },
    act: (verb: CaVerb) => actOnCa(deps, 'east-ca', verb, undefined, OPERATOR),
    events: () => store.kept.map(({ type, reason }) => `${type.replace('certificate.', '')} ${reason}`),
    values: (name: string) => vault.values(name),
    /** A CA in the vault that the mesh signs with, and four Pods. */
    async established(change: Readonly<Record<string, unknown>> = {}) {
      await this.put(change)
      await advance()
      mesh.poll(now)
      // They renew at different times.
      for (const part of [0, 0.15, 0.3, 0.45]) mesh.start(now, part * ttlMs)
      now += MINUTE
      see()
    },
    /** Lets time pass in steps, with everything alive: istiod polls, Pods renew, reconcile looks, the worker advances. */
    async live(ms: number, stepMs = 10 * MINUTE) {
      for (let passed = 0; passed < ms; passed += stepMs) {
        now += stepMs
        mesh.poll(now)
        mesh.renew(now)
        see()
        await advance()
      }
    },
    /** The same until the live rotation is over, or is in a phase. */
    async until(phase?: string, stepMs = 10 * MINUTE) {
      for (let turn = 0; turn < 1000; turn += 1) {
        await advance()
        const live = rotation()
        if (!live || live.phase === phase || isCaRotationOver(live)) return
        now += stepMs
        mesh.poll(now)
        mesh.renew(now)
        see()
      }
      throw new Error(`it stays in ${rotation()?.phase}: ${rotation()?.message}`)
    },
  }
}

function never(what: string): never {
  throw new Error(`a mesh CA asks for no ${what}`)
}
