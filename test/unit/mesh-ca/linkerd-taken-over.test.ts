import { describe, expect, it } from 'vitest'
import { turnBack } from '../../../src/mesh-ca/turn-back.ts'
import { changedElsewhere, wantedOf } from '../../../src/mesh-ca/wanted.ts'
import type { CaPhase, CaRotation } from '../../../src/model/ca-rotation.ts'
import { linkerdIntent } from '../../../src/model/linkerd-intent.ts'
import { aMeshCa } from '../fakes/documents.ts'
import { aSet, at, certificate, FOUND, FROM, rotation, TAKEN, WIDE } from './linkerd-input.ts'
import { aLinkerdSpec, othersCa } from './linkerd-world.ts'
import { START } from './world.ts'

describe('what is taken over', () => {
  it('is wanted of the cluster in the same texts, and its issuer never signs again', async () => {
    const [a, b] = await Promise.all([othersCa(), othersCa()])
    const from = { ...FOUND, rootCert: a.anchors }
    const root = { certificate: certificate('b'), pem: b.anchors }
    const wanted = (phase: CaPhase, direction: 'on' | 'back') => {
      const found = wantedOf(rotation(phase, { from, root, direction }))
      return found.ok ? [found.value.rootCert, found.value.signer] : []
    }
    const wide = `${a.anchors}${b.anchors}`
    expect(wanted('widening', 'on')).toEqual([wide, 'keep'])
    expect(wanted('switching', 'on')).toEqual([wide, 'new'])
    expect(wanted('narrowing', 'on')).toEqual([b.anchors, 'keep'])
    expect(wanted('narrowing', 'back')).toEqual([a.anchors, 'keep'])
  })

  it('has nothing in the vault: what comes there is of another hand, but for what is ours', () => {
    const taken = rotation('switching', { ...TAKEN, writtenAt: undefined } as unknown as Partial<CaRotation>)
    const mark = { rotation: 'east-ca.r1', phase: 'switching', direction: 'on' }
    expect(changedElsewhere(taken, { problems: [], versions: {}, marks: {} })).toEqual([])
    expect(changedElsewhere(taken, { problems: [], versions: { caKey: 'x' }, marks: {} })).toEqual(['caKey'])
    expect(changedElsewhere(taken, { problems: [], versions: { caKey: 'x' }, marks: { caKey: mark } })).toEqual([])
  })

  it.each<[CaPhase, Partial<CaRotation>, string]>([
    ['preparing', {}, 'aborted'],
    ['widening', {}, 'narrowing back'],
    ['trusting', {}, 'narrowing back'],
    ['switching', { writtenAt: undefined } as unknown as Partial<CaRotation>, 'narrowing back'],
    ['switching', { askedUntil: at(0) }, 'Conflict'],
    ['renewing', {}, 'Conflict'],
    ['narrowing', {}, 'Conflict'],
  ])('an abort from %s %j leads to: %s', (phase, change, expected) => {
    const live = rotation(phase, { ...TAKEN, ...change })
    const document = aMeshCa({ spec: aLinkerdSpec(), rotation: { ...live, phase } })
    const turned = turnBack({ document, entries: [] }, 'Ada asked.', START)
    const after = turned.ok ? turned.value.document.rotation : undefined
    const words = after?.direction === 'back' ? `${after.phase} back` : after?.phase
    expect(turned.ok ? words : turned.failure.code).toBe(expected)
  })

  it('is brought to the cluster as anchors alone, until there is a whole set', () => {
    const ca = aMeshCa({ spec: aLinkerdSpec(), revision: 7 })
    expect(linkerdIntent(ca)).toBeUndefined()
    expect(linkerdIntent({ ...ca, anchors: WIDE })).toEqual({ revision: 7, anchors: WIDE })
    const issuer = { certChain: 'sb', caKeyVersion: 'sb4', fingerprint: 'sb' }
    expect(linkerdIntent({ ...ca, anchors: 'X', current: aSet('sb', WIDE) })).toEqual({
      revision: 7,
      anchors: WIDE,
      issuer,
    })
    expect(linkerdIntent(aMeshCa({ revision: 7, current: FROM }))).toBeUndefined()
  })
})
