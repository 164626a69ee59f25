import { expect, it } from 'vitest'
import { PortError } from '../../../src/ports/port-error.ts'
import { createLinkerdWorld, type LinkerdWorld, SECRETS } from './linkerd-world.ts'
import { HOUR } from './world.ts'

const DENIED = new PortError('denied', 'Key Vault', 'Forbidden by RBAC')

function deny({ vault }: LinkerdWorld, denied: string | undefined): void {
  vault.interrupt = (call, when) => {
    if (call === denied && when === 'before') throw DENIED
  }
}

const values = ({ vault }: LinkerdWorld) => Object.values(SECRETS).map((name) => vault.peek(name)?.value)

it('an issuer that the vault takes a part of is put back, and the cluster is given nothing of it', async () => {
  const world = createLinkerdWorld()
  await world.established()
  const before = values(world)
  const { current } = world.document()
  await world.rotate('intermediate')
  deny(world, `set ${SECRETS.caKey}`)
  await world.advance()
  expect(values(world)).toEqual(before)
  await world.advance()
  expect(world.document().current?.caCert).toBe(current?.caCert)
  expect(world.condition('Issued')).toMatchObject({ status: 'True' })
  expect(world.events()).not.toContain('changed-elsewhere ChangedElsewhere')
  deny(world, undefined)
  await world.rotate('intermediate')
  await world.until()
  expect(world.rotation()).toMatchObject({ phase: 'succeeded' })
})

it('a takeover whose first secrets the vault takes a part of does not end, and goes on when it may', async () => {
  const world = createLinkerdWorld()
  await world.found()
  deny(world, `set ${SECRETS.caKey}`)
  await world.until('switching')
  await world.advance()
  expect(world.rotation()).toMatchObject({ phase: 'switching', reason: 'VaultDenied' })
  expect(world.events()).toContain('held VaultDenied')
  expect(world.condition('Issued')).toMatchObject({ status: 'False', reason: 'Torn' })
  expect(world.mesh.broken(world.now())).toBe(0)
  deny(world, undefined)
  world.live(HOUR)
  await world.until()
  expect(world.rotation()).toMatchObject({ phase: 'succeeded' })
})
