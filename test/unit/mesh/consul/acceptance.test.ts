import { describe, expect, it } from 'vitest'
import { acceptance } from '../../../../src/mesh/consul/acceptance.ts'

const written = Date.parse('2026-03-01T10:00:10Z')
const of = (status?: Readonly<Record<string, unknown>>) =>
  acceptance(
    {
      apiVersion: 'consul.hashicorp.com/v1alpha1',
      kind: 'ServiceSplitter',
      metadata: { namespace: 'shop', name: 'web' },
      ...(status ? { status } : {}),
    },
    written,
  )
const synced = (status: string, more: object = {}) => ({ conditions: [{ type: 'Synced', status, ...more }] })

describe('what Consul says of an object', () => {
  it('counts once it was synced after the write', () => {
    expect(of({ ...synced('True'), lastSyncedTime: '2026-03-01T10:00:10Z' })).toEqual({ state: 'accepted' })
    expect(of({ ...synced('True'), lastSyncedTime: '2026-03-01T10:00:07Z' }).state).toBe('waiting')
    expect(of(synced('True')).state).toBe('waiting')
    expect(of(synced('Unknown')).state).toBe('waiting')
    expect(of().state).toBe('waiting')
  })

  it('is told when it is a refusal', () => {
    const why = { reason: 'ConsulAgentError', message: 'web has no subset named v2' }
    expect(of(synced('False', why))).toEqual({
      state: 'refused',
      message: 'Consul does not take ServiceSplitter shop/web: ConsulAgentError: web has no subset named v2.',
    })
  })
})
