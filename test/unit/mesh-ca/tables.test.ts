import { describe, expect, it } from 'vitest'
import { type GateInput, renewedGate, takenGate } from '../../../src/mesh-ca/gates.ts'
import type { CaHold, Observations } from '../../../src/mesh-ca/observations.ts'
import { mayBegin, urgencyOf } from '../../../src/mesh-ca/obstacles.ts'
import { turnBack } from '../../../src/mesh-ca/turn-back.ts'
import { changedElsewhere, wantedOf } from '../../../src/mesh-ca/wanted.ts'
import type { CaRotation } from '../../../src/model/ca-rotation.ts'
import type { TrustDocument } from '../../../src/model/documents.ts'
import type { OtherProxies } from '../../../src/model/trust.ts'
import { aMeshCa } from '../fakes/documents.ts'
import { aSet, at, certificate, input, NARROW, rotation, trust } from './gate-input.ts'
import { DAY, HOUR, MINUTE, START } from './world.ts'

/** Two roots, as texts that can be read. */
const CERTIFICATES = {
  a: `-----BEGIN CERTIFICATE-----
MIIBbzCCARWgAwIBAgIURmFt09SG6WP76U6wLQd736RWf1cwCgYIKoZIzj0EAwIw
DDEKMAgGA1UEAwwBYTAgFw0yNjExMjkxNTIxNTJaGA8yMTI2MTEwNTE1MjE1Mlow
DDEKMAgGA1UEAwwBYTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABOUneUzGX9bA
4AhqWXVOQZxuuCyEUqLuvHIIFKmLCGIljIOJJC+cWK/01GiwXYgd6+fdA2Q+KZTz
+3wmqt0IJcejUzBRMB0GA1UdDgQWBBSdO9HllRClJ78tbGSyfuFqjnk9ZzAfBgNV
HSMEGDAWgBSdO9HllRClJ78tbGSyfuFqjnk9ZzAPBgNVHRMBAf8EBTADAQH/MAoG
CCqGSM49BAMCA0gAMEUCIFAKpkMtVJ9GSWDko5QUXpf5RghGGNiqGXoiwSlftVIz
AiEA6F+pXovguriB5eB+rAZDqbKbnBS5ANFe2vMF6qnH1VY=
-----END CERTIFICATE-----
`,
  b: `-----BEGIN CERTIFICATE-----
MIIBbzCCARWgAwIBAgIUGVPt2a2I5CZWGq0Egp2nqHs+GOwwCgYIKoZIzj0EAwIw
DDEKMAgGA1UEAwwBYjAgFw0yNjExMjkxNTIxNTJaGA8yMTI2MTEwNTE1MjE1Mlow
DDEKMAgGA1UEAwwBYjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABF6/HNhll9i1
YbedaPEGvdM2luWhx/5+9XZTEEj0sNAjEMjqzhE/EEtbe0DLJJuh6UlPC9cQjiK+
n9s/FX8xlQGjUzBRMB0GA1UdDgQWBBSptODmr+v6YcNV+/qA+qz0qKJRxTAfBgNV
HSMEGDAWgBSptODmr+v6YcNV+/qA+qz0qKJRxTAPBgNVHRMBAf8EBTADAQH/MAoG
CCqGSM49BAMCA0gAMEUCIErJbcvDOWQB4GJCWyth1H5ebWuKAOvTff0kgGy7Bi8o
AiEA/TGx3MYlMB91cPneGwGDF8CIZqBBe3oUN3BTTKbxj4E=
-----END CERTIFICATE-----
`,
}

describe('the gate of a phase that writes', () => {
  const late = START + 20 * MINUTE
  const group = (roots: readonly string[]) => [{ roots, namespaces: 1, examples: ['x'] }]
  const back = (bundles: TrustDocument['bundles'], held: readonly string[] = ['a']) => ({
    wanted: { ...NARROW, rootCert: 'a', roots: held },
    on: {
      phase: 'narrowing',
      direction: 'back',
      from: aSet('sa', 'a', { roots: held.map((one) => certificate(one)) }),
    } as const,
    trust: trust({ bundles }),
  })
  it.each<[string, Partial<GateInput> & { on?: Partial<CaRotation> }, string]>([
    ['opens when every bundle holds all wanted roots', {}, 'open'],
    ['opens when bundles hold others besides', { trust: trust({ bundles: group(['a', 'b', 'c']) }) }, 'open'],
    [
      'waits for a bundle that lacks one',
      { trust: trust({ bundles: [...group(['a', 'b']), ...group(['a'])] }) },
      'wait WaitsForBundles',
    ],
    [
      'holds when it lacks one for long',
      { now: late, trust: trust({ lookedAt: at(19 * MINUTE), bundles: group(['a']) }) },
      'hold NotTakenByIstiod',
    ],
    ['waits for a namespace without a bundle', { trust: trust({ without: ['z'] }) }, 'wait WaitsForBundles'],
    ['waits when no bundle is seen at all', { trust: trust({ bundles: [] }) }, 'wait WaitsForBundles'],
    ['waits for a bundle that nobody can read', { trust: trust({ bundles: group([]) }) }, 'wait WaitsForBundles'],
    ['does not open by a look before the write', { trust: trust({ lookedAt: at(MINUTE) }) }, 'wait WaitsForLook'],
    ['does not open without a look', { trust: undefined }, 'wait WaitsForLook'],
    [
      'does not open by a look that failed',
      { trust: trust({ state: 'failed', reason: 'Unreachable' }) },
      'wait Unreachable',
    ],
    [
      'holds by a look that fails for long',
      { now: late, trust: trust({ state: 'failed', reason: 'Unreachable' }) },
      'hold Unreachable',
    ],
    ['holds while failures have risen', { trust: trust({ failures: { now: 21, before: 5 } }) }, 'hold FailuresRisen'],
    [
      'bears as many failures as before, twice, and ten',
      { trust: trust({ failures: { now: 20, before: 5 } }) },
      'open',
    ],
    [
      'narrowing: waits while an old root is there',
      { wanted: NARROW, on: { phase: 'narrowing' } },
      'wait WaitsForBundles',
    ],
    [
      'narrowing: opens by exactly the new one',
      { wanted: NARROW, on: { phase: 'narrowing' }, trust: trust({ bundles: group(['b']) }) },
      'open',
    ],
    [
      'switching: opens by the end that istiod tells',
      { on: { phase: 'switching' }, trust: trust({ istiod: { chainNotAfter: at(100 * DAY) } }) },
      'open',
    ],
    [
      'switching: waits while istiod tells another',
      { on: { phase: 'switching' }, trust: trust({ istiod: { chainNotAfter: at(365 * DAY) } }) },
      'wait WaitsForIstiod',
    ],
    [
      'switching: holds when it does for long',
      {
        now: late,
        on: { phase: 'switching' },
        trust: trust({ lookedAt: at(19 * MINUTE), istiod: { chainNotAfter: at(365 * DAY) } }),
      },
      'hold NotTakenByIstiod',
    ],
    ['going back: lets bundles be that have nothing of this mesh', back([...group(['a']), ...group(['x'])]), 'open'],
    ['going back: lets roots be that came from elsewhere', back(group(['a', 'x'])), 'open'],
    [
      'going back: waits while the new root is there',
      back([...group(['a']), ...group(['a', 'b'])]),
      'wait WaitsForBundles',
    ],
    ['going back: waits while it is alone', back([...group(['a']), ...group(['b'])]), 'wait WaitsForBundles'],
    ['going back: waits for what nobody can read', back([...group(['a']), ...group([])]), 'wait WaitsForBundles'],
    ['going back: waits where no bundle is of this mesh', back(group(['x'])), 'wait WaitsForBundles'],
    [
      'going back: waits for a bundle that has not all of the former roots',
      back([...group(['a', 'c']), ...group(['c'])], ['a', 'c']),
      'wait WaitsForBundles',
    ],
  ])('%s', (_, change, expected) => {
    const gate = takenGate(input(change))
    expect(gate.kind === 'open' ? 'open' : `${gate.kind} ${gate.reason}`).toBe(expected)
  })

  it('names the way out of a bundle that is another mesh’s', () => {
    const gate = takenGate(input({ now: late, trust: trust({ lookedAt: at(19 * MINUTE), bundles: group(['x']) }) }))
    expect(gate).toMatchObject({ kind: 'hold', message: expect.stringContaining('exceptNamespaces') })
  })

  it('counts from the look, and where metrics do not tell the signer from the write and a spread, and says so', () => {
    expect(takenGate(input())).toMatchObject({ takenAt: START + 2 * MINUTE })
    const silent = takenGate(input({ on: { phase: 'switching' } }))
    expect(silent).toMatchObject({ kind: 'open', takenAt: START + 16 * MINUTE })
    expect(silent.kind === 'open' ? silent.note : '').toContain('do not tell')
    const same = { phase: 'switching', written: aSet('sb', 'b') } as const
    const alike = takenGate(input({ on: same, trust: trust({ istiod: { chainNotAfter: at(365 * DAY) } }) }))
    expect(alike).toMatchObject({ kind: 'open', takenAt: START + 16 * MINUTE })
  })
})

describe('the gate of a phase that waits for proxies', () => {
  const on = { phase: 'renewing', takenAt: at(2 * MINUTE) } as const
  const done = START + DAY + 17 * MINUTE
  const fresh = trust({ lookedAt: new Date(done + 1000).toISOString() })
  const restarted = (others: OtherProxies | undefined) => {
    const pods = { count: 2, oldestStart: at(18 * MINUTE), ...(others ? { others } : {}) }
    return trust({ lookedAt: at(50 * MINUTE), pods })
  }
  it.each<[string, Partial<GateInput>, string]>([
    ['waits for a TTL and the spread', { now: done - 1 }, 'wait WaitsForProxies'],
    ['opens then, by a look that is later', { now: done + 2000, trust: fresh }, 'open'],
    ['does not open by an older look', { now: done + 2000 }, 'wait WaitsForLook'],
    [
      'opens sooner when every Pod started since',
      {
        now: START + HOUR,
        trust: trust({ lookedAt: at(50 * MINUTE), pods: { count: 2, oldestStart: at(18 * MINUTE), others: 'none' } }),
      },
      'open',
    ],
    [
      'not by Pods that started within the spread',
      {
        now: START + HOUR,
        trust: trust({ lookedAt: at(50 * MINUTE), pods: { count: 2, oldestStart: at(16 * MINUTE), others: 'none' } }),
      },
      'wait WaitsForProxies',
    ],
    ...(['ambient', 'vms', 'unknown', undefined] as const).map((others): [string, Partial<GateInput>, string] => [
      `not where others hold certificates: ${others}`,
      { now: START + HOUR, trust: restarted(others) },
      'wait WaitsForProxies',
    ]),
    [
      'by time where others hold certificates',
      { now: done + 2000, trust: { ...fresh, pods: { count: 2, oldestStart: at(-DAY), others: 'vms' } } },
      'open',
    ],
    [
      'not because there is no Pod to be seen',
      { now: START + HOUR, trust: trust({ lookedAt: at(50 * MINUTE), pods: { count: 0 } }) },
      'wait WaitsForProxies',
    ],
    [
      'holds when bundles are no longer as wanted',
      { now: done + 2000, trust: { ...fresh, bundles: [{ roots: ['b'], namespaces: 1, examples: ['x'] }] } },
      'hold BundlesChanged',
    ],
    [
      'holds when istiod signs with another again',
      { now: done + 2000, trust: { ...fresh, istiod: { chainNotAfter: at(365 * DAY) } } },
      'hold SignerChanged',
    ],
    [
      'holds while failures have risen',
      { now: done + 2000, trust: { ...fresh, failures: { now: 11, before: 0 } } },
      'hold FailuresRisen',
    ],
  ])('%s', (_, change, expected) => {
    const gate = renewedGate(input({ ...change, on }))
    expect(gate.kind === 'open' ? 'open' : `${gate.kind} ${gate.reason}`).toBe(expected)
  })
})

describe('what is said to a gate that only time opens', () => {
  it.each([
    ['none', 'or once all Pods with one were restarted'],
    ['ambient', 'ztunnel'],
    ['vms', 'WorkloadEntries'],
    ['unknown', 'infra/kubernetes/trust-role.yaml'],
  ] as const)('%s', (others, words) => {
    const pods = { count: 2, oldestStart: at(-DAY), others }
    const on = { phase: 'trusting', takenAt: at(2 * MINUTE) } as const
    expect(renewedGate(input({ trust: trust({ pods }), on }))).toMatchObject({
      message: expect.stringContaining(words),
    })
  })
})

describe('what each phase wants', () => {
  const A = CERTIFICATES.a
  const B = CERTIFICATES.b
  const from = aSet('sa', 'a', { rootCert: A })
  const root = { certificate: certificate('b'), pem: B }
  it.each<[Partial<CaRotation>, string, string, boolean]>([
    [{ phase: 'widening' }, `${A}${B}`, 'keep', false],
    [{ phase: 'trusting' }, `${A}${B}`, 'keep', false],
    [{ phase: 'switching' }, `${A}${B}`, 'new', false],
    [{ phase: 'renewing' }, `${A}${B}`, 'keep', false],
    [{ phase: 'narrowing' }, B, 'keep', true],
    [{ phase: 'switching', direction: 'back' }, `${A}${B}`, 'former', false],
    [{ phase: 'renewing', direction: 'back' }, `${A}${B}`, 'keep', false],
    [{ phase: 'narrowing', direction: 'back' }, A, 'keep', true],
    [{ what: 'intermediate', phase: 'switching' }, A, 'new', false],
    [{ what: 'intermediate', phase: 'switching', direction: 'back' }, A, 'former', false],
  ])('%j', (change, rootCert, signer, exact) => {
    const wanted = wantedOf(rotation({ from, root, ...change }))
    expect(wanted).toMatchObject({ ok: true, value: { rootCert, signer, exact } })
  })
})

describe('another hand', () => {
  const mark = { rotation: 'east-ca.r1', phase: 'widening', direction: 'on' }
  const versions = aSet('sa', 'a').versions
  const seen = (change: object, marks = {}) => ({ problems: [], versions: { ...versions, ...change }, marks })
  it('is told from what is known and from what is ours and on its way', () => {
    expect(changedElsewhere(rotation(), seen({}))).toEqual([])
    expect(changedElsewhere(rotation(), seen({ caKey: 'x' }))).toEqual(['caKey'])
    expect(changedElsewhere(rotation(), seen({ caKey: 'x' }, { caKey: mark }))).toEqual([])
    expect(changedElsewhere(rotation(), seen({ caKey: 'x' }, { caKey: { ...mark, rotation: 'r0' } }))).toEqual([
      'caKey',
    ])
    expect(changedElsewhere(rotation({ writtenAt: at(0) }), seen({ caKey: 'x' }, { caKey: mark }))).toEqual(['caKey'])
    expect(changedElsewhere(rotation(), { problems: [], versions: {}, marks: {} })).toHaveLength(4)
  })
})

describe('what holds a write', () => {
  const hold = (kind: CaHold['kind']): CaHold => ({ kind, reason: kind, message: `${kind}.` })
  const soon = (endsIn: number) => aSet('sa', 'a', { signer: certificate('sa', endsIn) })
  const seen = (holds: readonly CaHold[], open = true): Observations => ({
    now: START,
    vault: { problems: [], versions: {}, marks: {} },
    trust: undefined,
    holds,
    window: { open },
  })
  it.each<[Partial<CaRotation>, CaHold['kind'] | 'window', string | undefined]>([
    [{}, 'closed', 'closed'],
    [{}, 'cluster', 'cluster'],
    [{}, 'freeze', 'freeze'],
    [{}, 'turn', 'turn'],
    [{}, 'window', 'WaitsForWindow'],
    [{ begunAt: at(0) }, 'turn', undefined],
    [{}, 'shared', undefined],
    [{ phase: 'narrowing' }, 'shared', 'shared'],
    [{ phase: 'narrowing', from: soon(DAY - 1) }, 'shared', 'shared'],
    [{ phase: 'narrowing', direction: 'back' }, 'shared', undefined],
    [{ direction: 'back' }, 'freeze', undefined],
    [{ direction: 'back' }, 'window', undefined],
    [{ direction: 'back' }, 'cluster', 'cluster'],
    [{ from: soon(6 * DAY) }, 'freeze', undefined],
    [{ from: soon(6 * DAY) }, 'window', undefined],
    [{ from: soon(6 * DAY) }, 'turn', undefined],
    [{ from: soon(6 * DAY) }, 'cluster', 'cluster'],
    [{ from: soon(DAY - 1) }, 'cluster', undefined],
    [{ from: soon(DAY - 1) }, 'closed', 'closed'],
  ])('%#: %s', (change, kind, expected) => {
    const observed = kind === 'window' ? seen([], false) : seen([hold(kind)])
    expect(mayBegin(rotation(change), observed).obstacle?.reason).toBe(expected)
  })

  it('of a first CA only a cluster that is observed', () => {
    const { from: _from, ...first } = rotation()
    expect(mayBegin(first, seen([hold('freeze'), hold('cluster')])).obstacle).toBeUndefined()
    expect(mayBegin(first, seen([hold('closed')])).obstacle?.reason).toBe('closed')
  })

  it('is urgent within seven days, or a fifth of a short life', () => {
    expect(urgencyOf(soon(8 * DAY), START)).toBe('none')
    expect(urgencyOf(aSet('sa', 'a', { signer: certificate('sa', 5 * HOUR, DAY) }), START)).toBe('none')
    expect(urgencyOf(aSet('sa', 'a', { signer: certificate('sa', 4 * HOUR, DAY) }), START)).toBe('day')
  })
})

describe('an abort', () => {
  it.each<[Partial<CaRotation>, string]>([
    [{ phase: 'requested' }, 'aborted'],
    [{ phase: 'preparing' }, 'aborted'],
    [{ phase: 'awaiting-issuer' }, 'aborted'],
    [{ phase: 'widening' }, 'aborted'],
    [{ phase: 'widening', askedUntil: at(0) }, 'narrowing back'],
    [{ phase: 'trusting', writtenAt: at(0) }, 'narrowing back'],
    [{ phase: 'switching' }, 'narrowing back'],
    [{ phase: 'switching', askedUntil: at(0) }, 'switching back'],
    [{ phase: 'renewing', writtenAt: at(0) }, 'switching back'],
    [{ phase: 'narrowing' }, 'switching back'],
    [{ phase: 'narrowing', askedUntil: at(0) }, 'Conflict'],
    [{ phase: 'renewing', from: aSet('sa', 'a', { signer: certificate('sa', HOUR) }) }, 'Conflict'],
    [{ what: 'intermediate', phase: 'switching' }, 'aborted'],
    [{ what: 'intermediate', phase: 'renewing' }, 'switching back'],
    [{ phase: 'succeeded' }, 'Conflict'],
  ])('%j leads to: %s', (change, expected) => {
    const turned = turnBack({ document: aMeshCa({ rotation: rotation(change) }), entries: [] }, 'Ada asked.', START)
    const after = turned.ok ? turned.value.document.rotation : undefined
    const word = after?.direction === 'back' ? `${after.phase} back` : after?.phase
    expect(turned.ok ? word : turned.failure.code).toBe(expected)
    expect(after?.paused).toBeUndefined()
  })
})
