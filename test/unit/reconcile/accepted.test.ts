import { describe, expect, it } from 'vitest'
import { consul } from '../../../src/mesh/consul/consul.ts'
import type { PlacementDocument } from '../../../src/model/documents.ts'
import type { KubeObject } from '../../../src/model/kube.ts'
import { refOf } from '../../../src/model/kube.ts'
import { acceptedStop } from '../../../src/reconcile/accepted.ts'
import { refKey } from '../../../src/reconcile/content.ts'

const parent = { group: 'gateway.networking.k8s.io', kind: 'Gateway', namespace: 'gateways', name: 'public' }
const condition = (type: string, status = 'True', observedGeneration?: number) => ({
  type,
  status,
  reason: status === 'True' ? type : 'Refused',
  message: 'because',
  ...(observedGeneration === undefined ? {} : { observedGeneration }),
})
const both = (generation?: number) => [
  condition('Accepted', 'True', generation),
  condition('ResolvedRefs', 'True', generation),
]

function look(parents: unknown, controller?: string, parentRefs: unknown = [parent]): string | undefined {
  const route: KubeObject = {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: 'web', namespace: 'shop', generation: 3 },
    spec: { parentRefs },
    status: { parents },
  }
  const observed = {
    namespace: undefined,
    objects: new Map([[refKey(refOf(route)), route]]),
    versions: {},
    rivals: undefined,
  }
  const barrier = {
    kind: 'accepted',
    object: refOf(route),
    durationMs: 5000,
    ...(controller ? { controller } : {}),
  } as const
  return acceptedStop({ observed }, barrier)?.reason
}

describe('a route', () => {
  const status = (conditions: unknown, controllerName = 'a/b', parentRef: unknown = parent) => ({
    parentRef,
    controllerName,
    conditions,
  })
  it.each<[string, unknown, string | undefined]>([
    ['nobody has looked at', undefined, 'WaitingForAcceptance'],
    ['its parent accepts for this generation', [status(both(3))], undefined],
    ['its parent accepts without a generation', [status(both())], undefined],
    ['its parent accepted before it changed', [status(both(2))], 'WaitingForAcceptance'],
    [
      'its parent refuses',
      [status([condition('Accepted', 'False', 3), condition('ResolvedRefs', 'True', 3)])],
      'NotAccepted',
    ],
    [
      'names a Service that is not there',
      [status([condition('Accepted'), condition('ResolvedRefs', 'False')])],
      'NotAccepted',
    ],
    ['has one of two conditions', [status([condition('Accepted')])], 'NotAccepted'],
    [
      'one of two controllers refuses',
      [status(both(3)), status([condition('Accepted', 'False', 3)], 'c/d')],
      'NotAccepted',
    ],
    ['another parent accepts', [status(both(3), 'a/b', { ...parent, name: 'other' })], 'WaitingForAcceptance'],
    ['another listener accepts', [status(both(3), 'a/b', { ...parent, sectionName: 'x' })], 'WaitingForAcceptance'],
    [
      'its parent accepts, named shortly',
      [status(both(3), 'a/b', { namespace: 'gateways', name: 'public' })],
      undefined,
    ],
  ])('that %s', (_, parents, reason) => {
    expect(look(parents)).toBe(reason)
  })

  it('on a Service is judged by the controller whose word counts', () => {
    const refs = [{ group: '', kind: 'Service', name: 'web', port: 80 }]
    const own = { group: 'core', kind: 'Service', namespace: 'shop', name: 'web', port: 80 }
    expect(
      look([status(both(), 'linkerd.io/policy-controller', own)], 'linkerd.io/policy-controller', refs),
    ).toBeUndefined()
    expect(look([status(both(), 'other', own)], 'linkerd.io/policy-controller', refs)).toBe('WaitingForAcceptance')
  })
})

describe('where a mesh says itself what it took', () => {
  const object = {
    apiVersion: 'consul.hashicorp.com/v1alpha1',
    kind: 'ServiceSplitter',
    namespace: 'shop',
    name: 'web',
  }
  const { apiVersion, kind, ...metadata } = object
  const live = {
    apiVersion,
    kind,
    metadata,
    status: { conditions: [{ type: 'Synced', status: 'True' }], lastSyncedTime: '2026-05-01T10:00:00Z' },
  }
  const entry = { ...object, uid: 'u', generation: 1, hash: 'h' }
  const situation = (times: { readonly changedAt: string; readonly writtenAt?: string }) => ({
    provider: consul,
    observed: { namespace: undefined, objects: new Map([[refKey(object), live]]), versions: {}, rivals: undefined },
    placement: { objects: [{ ...entry, ...times }] } as unknown as PlacementDocument,
  })
  const barrier = { kind: 'accepted', object, durationMs: 0 } as const

  it('its word counts for a write that is no later, by the clock of the cluster', () => {
    const late = '2026-05-01T10:01:00.000Z'
    expect(acceptedStop(situation({ changedAt: late }), barrier)).toMatchObject({ reason: 'WaitingForAcceptance' })
    expect(acceptedStop(situation({ changedAt: late, writtenAt: '2026-05-01T10:00:00Z' }), barrier)).toBeUndefined()
  })

  it('its word does not count for what was written just now', () => {
    const stored = situation({ changedAt: '2026-05-01T10:00:00.000Z' })
    expect(acceptedStop(stored, barrier)).toBeUndefined()
    expect(acceptedStop(stored, barrier, new Set([refKey(object)]))).toMatchObject({ reason: 'WaitingForAcceptance' })
  })
})
