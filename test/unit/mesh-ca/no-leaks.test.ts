import { describe, expect, it } from 'vitest'
import { viewMeshCa } from '../../../src/http/views/mesh-ca-view.ts'
import { PortError } from '../../../src/ports/port-error.ts'
import { createWorld } from './world.ts'

/** Pieces of every private key that the vault was ever given: any line of its PEM would do. */
function keyLines(world: ReturnType<typeof createWorld>): readonly string[] {
  const keys = ['ca-key', 'ca-key-next'].flatMap((name) => world.values(name))
  return keys.flatMap((pem) => pem.split('\n')).filter((line) => line.length > 20 && !line.includes('-----'))
}

describe('private keys', () => {
  it('are in no document, event, audit record, error or answer, in all phases of rotations on and back', async () => {
    const world = createWorld()
    const texts: string[] = []
    world.store.beforeWrite = (_, document) => void texts.push(JSON.stringify(document))
    await world.established()
    await world.rotate('intermediate')
    await world.until('renewing')
    await world.act('abort')
    await world.until()
    let lost = 0
    world.vault.interrupt = (call, when) => {
      if (!call.startsWith('set') || when !== 'after' || lost >= 3) return
      lost += 1
      throw new PortError('unavailable', 'Key Vault', 'no answer')
    }
    await world.rotate('root')
    await world.until()
    texts.push(JSON.stringify([world.store.kept, world.store.audited, viewMeshCa(world.document())]))
    const all = texts.join('\n')
    expect(keyLines(world).length).toBeGreaterThan(10)
    expect(keyLines(world).filter((line) => all.includes(line))).toEqual([])
    expect(all).not.toContain('PRIVATE KEY')
    expect(world.document().rotation?.phase).toBe('succeeded')
  })

  it('of a CA that another signs waits in a secret of its own, in no document', async () => {
    const world = createWorld()
    const texts: string[] = []
    world.store.beforeWrite = (_, document) => void texts.push(JSON.stringify(document))
    await world.put({ root: { kind: 'external' } })
    await world.advance()
    expect(world.vault.names()).toEqual(['ca-key-next'])
    expect(keyLines(world).filter((line) => texts.join('').includes(line))).toEqual([])
  })
})
