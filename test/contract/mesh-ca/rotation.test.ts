import { describe, expect, it } from 'vitest'
import { advanceCa } from '../../../src/mesh-ca/advance-ca.ts'
import { putMeshCa } from '../../../src/mesh-ca/put-mesh-ca.ts'
import { rotateCa } from '../../../src/mesh-ca/rotate-ca.ts'
import { isCaRotationOver } from '../../../src/model/ca-rotation.ts'
import { aCluster } from '../../unit/fakes/documents.ts'
import { MemoryStore } from '../../unit/fakes/memory-store.ts'
import { Mesh } from '../../unit/mesh-ca/mesh.ts'
import { aSpec, MINUTE, OPERATOR } from '../../unit/mesh-ca/world.ts'
import { emulatedVault, VAULT_URL } from '../key-vault/emulated-vault.ts'

const NAMES = ['root-cert', 'ca-cert', 'cert-chain', 'ca-key']

/** A mesh CA over the adapter and the SDKs on the emulated vault, and a mesh that takes what that holds. */
async function aWorld() {
  const emulated = await emulatedVault()
  const { vaults, clock, pass } = emulated
  const store = new MemoryStore({ relaying: true })
  store.put(aCluster('east'))
  const random = { next: () => 0.5, uuid: () => crypto.randomUUID() }
  const deps = { store, clock, random, vaults, vaultUrl: VAULT_URL }
  const mounted = new Map<string, { readonly version: string; readonly value: string }>()
  const mesh = new Mesh({ peek: (name) => mounted.get(name) }, 60 * MINUTE)
  const mount = async () => {
    const secrets = vaults.secrets(VAULT_URL)
    for (const name of NAMES) {
      const read = await secrets.readSecret(name)
      if (read) mounted.set(name, read)
    }
    mesh.poll(clock.now())
  }
  const rotation = () => store.get('mesh-ca', 'east-ca').rotation
  const until = async () => {
    for (let turn = 0; turn < 200; turn += 1) {
      const done = await advanceCa(deps, 'east-ca')
      if (!done.ok) throw new Error(done.failure.detail)
      const live = rotation()
      if (live && isCaRotationOver(live)) return
      await pass(5 * MINUTE)
      await mount()
      mesh.renew(clock.now())
      expect(mesh.broken(clock.now())).toBe(0)
      store.put(mesh.look(clock.now()))
    }
    throw new Error(`it stays in ${rotation()?.phase}: ${rotation()?.message}`)
  }
  const put = await putMeshCa(deps, 'east-ca', aSpec({ workloadTtl: '1h', intermediate: { key: 'P-384' } }), OPERATOR)
  if (!put.ok) throw new Error(put.failure.detail)
  const established = async () => {
    await until()
    await mount()
    for (const aged of [0, 10, 20, 28]) mesh.start(clock.now(), aged * MINUTE)
    await pass(MINUTE)
    store.put(mesh.look(clock.now()))
  }
  const rotate = (what: 'root' | 'intermediate') => rotateCa(deps, 'east-ca', { what }, OPERATOR)
  return { ...emulated, emulated, store, mesh, rotation, until, established, rotate }
}

type Wire = Awaited<ReturnType<typeof aWorld>>['emulated']['wire']

describe('a mesh CA over the SDKs on an emulated Key Vault', () => {
  it('is made, and rotated, root and intermediate; values are in no document', { timeout: 120_000 }, async () => {
    const world = await aWorld()
    await world.established()
    for (const what of ['root', 'intermediate'] as const) {
      await world.rotate(what)
      await world.until()
      expect(world.rotation()).toMatchObject({ what, phase: 'succeeded' })
    }
    expect(world.mesh.refusals).toBe(0)
    const versions = await world.vaults.secrets(VAULT_URL).secretVersions('root-cert')
    expect(versions.map(({ tags }) => tags['meshwright-phase'])).toEqual([
      'switching',
      'widening',
      'switching',
      'narrowing',
      'switching',
    ])
    expect(JSON.stringify([world.store.get('mesh-ca', 'east-ca'), world.store.kept])).not.toContain('PRIVATE KEY')
  })

  it('comes to its end where any one request to write is lost, or its answer', { timeout: 240_000 }, async () => {
    const isWrite = (line: string) => /^PUT |^POST \S+\/(create|sign)$/.test(line)
    const counted = await aWorld()
    await counted.established()
    const before = counted.exchanges.length
    await counted.rotate('root')
    await counted.until()
    const writes = counted.exchanges.slice(before).filter(({ line }) => isWrite(line)).length
    expect(writes).toBe(15)
    for (let lost = 1; lost <= writes; lost += 1) {
      const world = await aWorld()
      await world.established()
      let count = 0
      const wire: Wire = async (request, deliver) => {
        if (!isWrite(`${request.method} ${request.url.pathname}`)) return deliver()
        count += 1
        if (count !== lost) return deliver()
        if (lost % 2 === 0) await deliver()
        throw Object.assign(new Error('the connection broke'), { code: 'ECONNRESET' })
      }
      world.emulated.wire = wire
      await world.rotate('root')
      await world.until()
      expect(world.rotation()?.phase, `write ${lost}`).toBe('succeeded')
      expect(world.mesh.held?.roots).toHaveLength(1)
    }
  })
})
