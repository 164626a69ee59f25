import { expect } from 'vitest'
import { checkBundle } from '../../../src/authority/ca-bundle.ts'
import { PortError } from '../../../src/ports/port-error.ts'
import { createWorld } from './world.ts'

const NAMES = ['root-cert', 'cert-chain', 'ca-cert', 'ca-key'] as const
export const DENIED = new PortError('denied', 'Key Vault', 'Forbidden by RBAC')
export const THROTTLED = new PortError('throttled', 'Key Vault', 'too many requests')
export const LOST = new PortError('unavailable', 'Key Vault', 'no answer')

/** A world with a vault that refuses, dies and lies, and what can be said of what lies in it. */
export function createTornWorld() {
  const world = createWorld()
  const issued = () => world.document().conditions.find(({ type }) => type === 'Issued')
  const ready = () => world.document().conditions.find(({ type }) => type === 'Ready')
  const values = () => NAMES.map((name) => world.vault.peek(name)?.value ?? '')
  const sets = () => world.vault.calls.filter((call) => call.startsWith('set '))

  /** What istiod would find fault with, if it started now. */
  function faults(): readonly string[] {
    const [rootCert = '', certChain = '', caCert = '', caKey = ''] = values()
    const bundle = { rootCert, certChain, caCert, caKey }
    return checkBundle(bundle, { now: world.now(), heldRoots: rootCert }).map(({ code }) => code)
  }

  /** The vault fails as it is told by the call; `until` the test says otherwise. */
  function failing(errors: Readonly<Record<string, PortError>>): void {
    world.vault.interrupt = (call, when) => {
      const error = errors[call]
      if (error && when === 'before') throw error
    }
  }

  const well = () => failing({})

  async function dieAt(place: string): Promise<void> {
    let isDead = false
    world.vault.interrupt = (call, when) => {
      if (call === place && when === 'before') isDead = true
      if (isDead) throw new Error('the process died')
    }
    await expect(world.advance()).rejects.toThrow('the process died')
    well()
    expect(faults()).toContain('KeyMismatch')
  }

  /** The vault gives back another key than it was given, once. */
  function giveBackOnce(value: string): void {
    let isDone = false
    world.vault.interrupt = (call, when) => {
      if (isDone || call !== 'set ca-key' || when !== 'after') return
      isDone = true
      const { tags = {} } = world.vault.peek('ca-key') ?? {}
      world.vault.put('ca-key', value, { tags })
    }
  }

  function freeze(): void {
    world.store.put({
      schema: 1,
      kind: 'freeze',
      name: 'peak',
      outbox: [],
      generation: 1,
      idempotency: [],
      createdAt: '',
      updatedAt: '',
      spec: { reason: 'peak', scope: {}, covers: ['configuration'] },
    })
  }

  const observe = (mode: 'observe' | 'manage') =>
    world.store.change('cluster', 'east', (east) => ({ ...east, spec: { ...east.spec, mode } }))

  function changing(): void {
    world.store.change('cluster', 'east', (east) => ({
      ...east,
      aks: {
        provisioningState: 'Upgrading',
        location: 'westeurope',
        isPrivate: false,
        entra: { enabled: true, azureRbac: true, localAccountsDisabled: true },
        azureMonitorMetrics: false,
      },
    }))
  }
  return {
    ...world,
    issued,
    ready,
    sets,
    faults,
    failing,
    well,
    dieAt,
    giveBackOnce,
    freeze,
    observe,
    changing,
    inVault: values,
  }
}
