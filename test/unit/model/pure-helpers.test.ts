import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { belongsTo, foreignHosts, mayReach } from '../../../src/model/access.ts'
import { activeFreezes, matchesLabels } from '../../../src/model/active-freezes.ts'
import { setCondition } from '../../../src/model/condition.ts'
import { canonicalJson, digest, entityTag, shortId } from '../../../src/model/digest.ts'
import { keyOf, partitionOf } from '../../../src/model/documents.ts'
import { type FreezeSpec, freezeSpec } from '../../../src/model/freeze.ts'
import { remember, replayOf } from '../../../src/model/idempotency.ts'
import { hasRole, ROLES } from '../../../src/model/identity.ts'
import { serviceOfRollout } from '../../../src/model/rollout.ts'
import { AT, aCaller, aCluster, aPlacement, aService, aTeam, condition } from '../fakes/documents.ts'
import { aRollout, later, MINUTE, T0 } from '../rollouts/fixture.ts'

describe('canonical JSON', () => {
  it('is the same for the same value in another order, and parses to it', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
    expect(canonicalJson({ b: 1, a: [{ d: undefined, c: null }] })).toBe('{"a":[{"c":null}],"b":1}')
  })

  it('tells values apart that are not the same', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        const same = canonicalJson(a) === canonicalJson(b)
        expect(digest(a) === digest(b)).toBe(same)
      }),
    )
  })

  it('makes tags that are strong entity tags and ids that are short', () => {
    expect(entityTag('web', { a: 1 })).toMatch(/^"[A-Za-z0-9_-]{27}"$/)
    expect(entityTag('web', { a: 1 })).not.toBe(entityTag('cart', { a: 1 }))
    expect(shortId(10, 'x')).toMatch(/^[a-z2-7]{10}$/)
    expect(shortId(10, 'x', 'y')).not.toBe(shortId(10, 'xy'))
  })
})

describe('conditions', () => {
  const before = [condition('Ready', 'True', 'Live'), condition('Held', 'False', 'None')]

  it('keep their time while the status stays, and take a new one with it', () => {
    const same = setCondition(before, { type: 'Ready', status: 'True', reason: 'Other', message: 'm' }, later(MINUTE))
    expect(same[0]).toMatchObject({ reason: 'Other', lastTransitionTime: AT })
    const moved = setCondition(before, { type: 'Ready', status: 'False', reason: 'Other', message: 'm' }, later(MINUTE))
    expect(moved[0]).toMatchObject({ status: 'False', lastTransitionTime: later(MINUTE) })
    expect(moved[1]).toBe(before[1])
  })

  it('come at the end when they are new', () => {
    const more = setCondition(before, { type: 'Frozen', status: 'True', reason: 'R', message: 'm' }, later(0))
    expect(more.map(({ type }) => type)).toEqual(['Ready', 'Held', 'Frozen'])
  })
})

describe('freezes', () => {
  const target = {
    service: 'shop/web',
    namespace: 'shop',
    cluster: aCluster('east', { spec: { ...aCluster('east').spec, labels: { env: 'prod' } } }),
  }
  const active = (
    change: Readonly<Record<string, unknown>>,
    now = T0,
    covers: 'rollouts' | 'configuration' = 'rollouts',
  ) => {
    const frozen: FreezeSpec = freezeSpec.parse({ reason: 'x', ...change })
    const base = { schema: 1, outbox: [], createdAt: AT, updatedAt: AT, generation: 1, idempotency: [] }
    return activeFreezes([{ ...base, kind: 'freeze', name: 'f', spec: frozen }], target, covers, now).length === 1
  }

  it.each([
    ['everything, when it says nothing', {}, true],
    ['its cluster', { scope: { clusters: ['east'] } }, true],
    ['no other cluster', { scope: { clusters: ['west'] } }, false],
    ['clusters by label', { scope: { clusters: { matchLabels: { env: 'prod' } } } }, true],
    ['no clusters with other labels', { scope: { clusters: { matchLabels: { env: 'test' } } } }, false],
    ['its namespace', { scope: { namespaces: ['shop'] } }, true],
    ['no other namespace', { scope: { namespaces: ['bank'] } }, false],
    ['its service', { scope: { services: ['shop/web'] } }, true],
    ['no other service', { scope: { services: ['shop/cart'] } }, false],
    ['only what fits in every part', { scope: { clusters: ['east'], services: ['shop/cart'] } }, false],
    ['nothing of an empty list', { scope: { clusters: [] } }, false],
  ])('cover %s', (_, change, covered) => {
    expect(active(change)).toBe(covered)
  })

  it('cover what they name', () => {
    expect(active({ covers: ['configuration'] })).toBe(false)
    expect(active({ covers: ['configuration'] }, T0, 'configuration')).toBe(true)
  })

  it('hold from the first moment up to the last, in whatever time zone they are written', () => {
    const span = { from: '2026-05-01T12:00:00+02:00', until: '2026-05-01T09:00:00-02:00' }
    expect(active(span, T0 - 1)).toBe(false)
    expect(active(span, T0)).toBe(true)
    expect(active(span, T0 + 60 * MINUTE - 1)).toBe(true)
    expect(active(span, T0 + 60 * MINUTE)).toBe(false)
  })
})

describe('labels', () => {
  it('answer to a selector when all of it is there', () => {
    expect(matchesLabels({ a: '1', b: '2' }, { a: '1' })).toBe(true)
    expect(matchesLabels({ a: '1' }, { a: '1', b: '2' })).toBe(false)
    expect(matchesLabels({}, {})).toBe(true)
    expect(matchesLabels({ a: '1' }, { toString: '1' })).toBe(false)
  })
})

describe('who may act', () => {
  const { spec: team } = aTeam({
    apps: ['33333333-3333-4333-8333-333333333333'],
    groups: ['ABCDEF00-1111-4111-8111-111111111111'],
  })
  const stranger = aCaller({ groups: [] })

  it('is who is in a group of the team, whatever the case of its id', () => {
    expect(belongsTo(aCaller({ groups: ['abcdef00-1111-4111-8111-111111111111'] }), team)).toBe(true)
    expect(belongsTo(stranger, team)).toBe(false)
  })

  it('is an application of the team, not a person who came by it', () => {
    const appId = '33333333-3333-4333-8333-333333333333'
    expect(belongsTo({ ...stranger, kind: 'application', appId }, team)).toBe(true)
    expect(belongsTo({ ...stranger, kind: 'person', appId }, team)).toBe(false)
    expect(belongsTo({ ...stranger, kind: 'application' }, team)).toBe(false)
  })

  it('is an administrator, everywhere', () => {
    const admin = aCaller({ groups: [], roles: ['Mesh.Admin'] })
    expect(mayReach(admin, 'shop', team, 'bank').ok).toBe(true)
    expect(mayReach(admin, 'shop', undefined, 'shop').ok).toBe(true)
    for (const role of ROLES) expect(hasRole(admin, role)).toBe(true)
    expect(hasRole(aCaller({ roles: ['Mesh.Operator'] }), 'Mesh.Deployer')).toBe(false)
  })

  it('is told what is missing', () => {
    const member = aCaller({ groups: team.groups })
    expect(mayReach(member, 'shop', team, 'shop').ok).toBe(true)
    expect(mayReach(member, 'shop', team, 'bank')).toMatchObject({
      failure: { detail: 'Team shop does not own namespace bank.' },
    })
    expect(mayReach(stranger, 'shop', team, 'shop')).toMatchObject({
      failure: { detail: 'Ada does not belong to team shop.' },
    })
    expect(mayReach(member, 'shop', undefined, 'shop').ok).toBe(false)
  })

  it('serves only hosts that the team owns', () => {
    const owned = ['web.example.com', '*.shop.example.com']
    const hosts = [
      'web.example.com',
      'a.shop.example.com',
      'a.b.shop.example.com',
      'shop.example.com',
      'evilshop.example.com',
      '*.shop.example.com',
      '*.example.com',
    ]
    expect(foreignHosts(hosts, owned)).toEqual(['shop.example.com', 'evilshop.example.com', '*.example.com'])
  })
})

describe('idempotency keys', () => {
  const answer = (at: number) => ({ at: later(at), status: 200, result: 'x' })

  it('are known for a day, the last fifty', () => {
    const first = remember([], { id: 'first', body: 'b' }, answer(0))
    expect(remember(first, { id: 'k', body: 'b' }, answer(24 * 60 * MINUTE - 1))).toHaveLength(2)
    expect(remember(first, { id: 'k', body: 'b' }, answer(24 * 60 * MINUTE))).toHaveLength(1)
    let many = first
    for (let index = 0; index < 60; index += 1) many = remember(many, { id: `k${index}`, body: 'b' }, answer(index))
    expect(many).toHaveLength(50)
    expect(many.at(-1)).toEqual({ id: 'k59', body: 'b', ...answer(59) })
    expect(many[0]?.id).toBe('k10')
  })

  it('are replayed with the same body alone', () => {
    const records = remember([], { id: 'k', body: 'b' }, answer(0))
    expect(replayOf(records, { id: 'k', body: 'b' })).toMatchObject({ ok: true, value: { result: 'x' } })
    expect(replayOf(records, { id: 'k', body: 'c' })).toMatchObject({ failure: { code: 'IdempotencyMismatch' } })
    expect(replayOf(records, { id: 'other', body: 'b' })).toEqual({ ok: true, value: undefined })
    expect(replayOf(records, undefined)).toEqual({ ok: true, value: undefined })
    expect(remember(records, undefined, answer(0))).toBe(records)
  })
})

describe('documents', () => {
  it('are named, and a service’s lie together', () => {
    const rollout = { ...aPlacement('east'), kind: 'rollout', rollout: aRollout('aborted') } as never
    const keys = [aService(), aPlacement('east'), rollout, aCluster('east'), aTeam()].map(keyOf)
    expect(keys).toEqual(['shop/web', 'shop/web/east', 'shop/web/shop.web.k3', 'east', 'shop'])
    expect(partitionOf('service', 'shop/web')).toBe('service/shop/web')
    expect(partitionOf('placement', 'shop/web/east')).toBe('service/shop/web')
    expect(partitionOf('rollout', 'shop/web/shop.web.k3')).toBe('service/shop/web')
    expect(partitionOf('cluster', 'east')).toBe('cluster/east')
  })

  it.each([
    ['shop.web.k3', 'shop/web'],
    ['shop.web', undefined],
    ['shop.web.k3.x', undefined],
    ['..', undefined],
    ['', undefined],
  ])('of the rollout %s is %s', (id, service) => {
    expect(serviceOfRollout(id)).toBe(service)
  })
})
