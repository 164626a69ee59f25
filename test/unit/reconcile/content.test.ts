import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../../../src/model/kube.ts'
import { changesTo, holds } from '../../../src/reconcile/content.ts'

const annotations = { 'meshwright.io/service': 'shop/web', 'meshwright.io/revision': '3' }
const rule = (spec: Readonly<Record<string, unknown>>): KubeObject => ({
  apiVersion: 'networking.istio.io/v1',
  kind: 'DestinationRule',
  metadata: { name: 'web', namespace: 'shop', annotations },
  spec,
})
const owned = (fields: Readonly<Record<string, unknown>>, manager = 'meshwright') => ({
  manager,
  operation: 'Apply',
  fieldsV1: { 'f:metadata': { 'f:annotations': { 'f:meshwright.io/revision': {} } }, 'f:spec': fields },
})
const live = (spec: Readonly<Record<string, unknown>>, ...managedFields: ReturnType<typeof owned>[]): KubeObject => {
  const object = rule(spec)
  return { ...object, metadata: { ...object.metadata, managedFields } }
}

describe('a live object beside what is wanted', () => {
  const policy = { connectionPool: { tcp: { maxConnections: 5, connectTimeout: '1s' } } }
  const ours = owned({
    'f:host': {},
    'f:trafficPolicy': { 'f:connectionPool': { 'f:tcp': { 'f:maxConnections': {}, 'f:connectTimeout': {} } } },
  })

  it('differs where a field of ours is wanted no longer', () => {
    const there = live({ host: 'web', trafficPolicy: policy }, ours)
    expect(holds(there, rule({ host: 'web', trafficPolicy: policy }))).toBe(true)
    expect(changesTo(there, rule({ host: 'web' }))).toEqual([
      { path: 'spec.trafficPolicy', from: policy, to: undefined },
    ])
    const less = { connectionPool: { tcp: { maxConnections: 5 } } }
    expect(changesTo(there, rule({ host: 'web', trafficPolicy: less }))).toEqual([
      { path: 'spec.trafficPolicy.connectionPool.tcp.connectTimeout', from: '1s', to: undefined },
    ])
  })

  it('does not differ by what others added, nor by what we own in name alone', () => {
    const theirs = owned({ 'f:trafficPolicy': { 'f:connectionPool': {} } }, 'kubectl')
    expect(holds(live({ host: 'web', trafficPolicy: policy }, theirs), rule({ host: 'web' }))).toBe(true)
    expect(holds(live({ host: 'web' }, ours), rule({ host: 'web' }))).toBe(true)
  })
})
