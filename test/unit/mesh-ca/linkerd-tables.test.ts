import { describe, expect, it } from 'vitest'
import { textHash } from '../../../src/mesh/linkerd/identity.ts'
import { gatesOf } from '../../../src/mesh-ca/gates-of.ts'
import { linkerdBeforeWrite, linkerdRenewedGate, linkerdTakenGate } from '../../../src/mesh-ca/linkerd-gates.ts'
import type { CaPhase, CaRotation } from '../../../src/model/ca-rotation.ts'
import { at, type Change, delivered, input, old, SECOND, skipped, TAKEN, updated, WIDE, word } from './linkerd-input.ts'
import { DAY, HOUR, MINUTE, START } from './world.ts'

describe('the gate of a phase of Linkerd that writes', () => {
  const late = { now: HOUR, lookedAt: at(59 * MINUTE) }
  it.each<[string, CaPhase, Change, string]>([
    ['widening: opens when the anchors are there and the control plane started since', 'widening', {}, 'open'],
    ['not without a look', 'widening', { lookedAt: at(MINUTE) }, 'wait WaitsForLook'],
    ['not by one that failed', 'widening', { state: 'failed', reason: 'Conflict' }, 'wait Conflict'],
    ['not while an older revision is there', 'widening', delivered({ revision: 6 }), 'wait WaitsForDelivery'],
    ['not while another text is there', 'widening', delivered({}, 'A\n'), 'wait WaitsForDelivery'],
    ['not while another issuer is there', 'widening', delivered({ issuer: 'sx' }), 'wait WaitsForDelivery'],
    [
      'and people are told of that when it lasts',
      'widening',
      { ...delivered({ revision: 6 }), ...late },
      'hold NotDelivered',
    ],
    ['holds for the start of the control plane', 'widening', old, 'hold WaitsForControlPlane'],
    [
      'holds for one of its Pods that started with the delivery, or seconds after',
      'widening',
      { controlPlane: { count: 3, oldestStart: at(MINUTE + 20 * SECOND) } },
      'hold WaitsForControlPlane',
    ],
    ['holds where no Pod of it is seen', 'widening', { controlPlane: { count: 0 } }, 'hold ControlPlaneUnseen'],
    ['does not ask for Pods yet', 'widening', { anchors: { [textHash('A\n')]: 3 } }, 'open'],
    ['holds while failures have risen', 'widening', { failures: { now: 11, before: 0 } }, 'hold FailuresRisen'],
    [
      'widening of what is taken over: whatever issuer is there',
      'widening',
      { ...delivered({ issuer: 'sx' }), on: TAKEN },
      'open',
    ],
    ['switching: opens by the event', 'switching', { ...old, ...updated(2 * MINUTE) }, 'open'],
    ['by one of the same second', 'switching', { ...old, ...updated(MINUTE) }, 'open'],
    ['not by one before the write', 'switching', { ...old, ...updated(MINUTE - 2 * SECOND) }, 'wait WaitsForIdentity'],
    ['holds at once by a refusal', 'switching', { ...old, ...skipped(2 * MINUTE) }, 'hold NotTakenByIdentity'],
    ['not by one before the write', 'switching', { ...old, ...skipped(0) }, 'wait WaitsForIdentity'],
    ['opens by the metric', 'switching', { ...old, istiod: { chainNotAfter: at(100 * DAY) } }, 'open'],
    [
      'not by the metric of the former',
      'switching',
      { ...old, istiod: { chainNotAfter: at(365 * DAY) } },
      'wait WaitsForIdentity',
    ],
    ['opens when the control plane started since', 'switching', {}, 'open'],
    ['also after a refusal', 'switching', skipped(2 * MINUTE), 'open'],
    ['not by a start before the refusal', 'switching', skipped(6 * MINUTE), 'hold NotTakenByIdentity'],
    [
      'not by the event of one replica while the metrics of all show the former',
      'switching',
      { ...old, ...updated(2 * MINUTE), istiod: { chainNotAfter: at(365 * DAY) } },
      'wait WaitsForIdentity',
    ],
    [
      'of which people are told when it lasts',
      'switching',
      { ...old, ...updated(2 * MINUTE), ...late, istiod: { chainNotAfter: at(365 * DAY) } },
      'hold NotTakenByIdentity',
    ],
    [
      'holds by the refusal of one replica after which another took it',
      'switching',
      { ...old, ...updated(3 * MINUTE, 2 * MINUTE) },
      'hold NotTakenByIdentity',
    ],
    [
      'not by a refusal before it was brought',
      'switching',
      { ...old, ...updated(3 * MINUTE, MINUTE), ...delivered({ at: at(2 * MINUTE) }) },
      'open',
    ],
    [
      'not by a refusal of what is gone since',
      'switching',
      {
        ...updated(6 * MINUTE, 2 * MINUTE),
        controlPlane: { count: 3, oldestStart: at(5 * MINUTE) },
      },
      'open',
    ],
    [
      'not by a refusal when the metrics of all show it',
      'switching',
      { ...old, ...updated(3 * MINUTE, 2 * MINUTE), istiod: { chainNotAfter: at(100 * DAY) } },
      'open',
    ],
    [
      'an issuer that was written again asks for no start: anchors came before',
      'widening',
      delivered({ at: at(6 * MINUTE), anchorsAt: at(MINUTE) }),
      'open',
    ],
    [
      'anchors that were written again do',
      'widening',
      delivered({ at: at(6 * MINUTE), anchorsAt: at(6 * MINUTE) }),
      'hold WaitsForControlPlane',
    ],
    ['never by time alone', 'switching', { ...old, ...late }, 'hold NotTakenByIdentity'],
    ['narrowing: opens when control plane and Pods started with B alone', 'narrowing', {}, 'open'],
    ['holds for the control plane', 'narrowing', old, 'hold WaitsForControlPlane'],
    [
      'holds for a Pod that has both',
      'narrowing',
      { anchors: { [textHash('B\n')]: 2, [textHash(WIDE)]: 1 } },
      'hold WaitsForRestarts',
    ],
  ])('%s', (_, phase, change, expected) => {
    expect(word(linkerdTakenGate(input(phase, change)))).toBe(expected)
  })

  it('counts from the look', () => {
    expect(linkerdTakenGate(input('switching'))).toMatchObject({ kind: 'open', takenAt: START + 9 * MINUTE })
  })
})

describe('the gate of a phase of Linkerd that waits for proxies', () => {
  const on = { takenAt: at(2 * MINUTE) }
  const until = DAY + 17 * MINUTE + 20 * SECOND
  const done = { on, now: until, lookedAt: at(until) }
  it.each<[string, CaPhase, Change, string]>([
    ['trusting: opens when every Pod started with the exact text', 'trusting', {}, 'open'],
    [
      'never by time',
      'trusting',
      { anchors: { [textHash('A\n')]: 3 }, ...done, now: 90 * DAY },
      'hold WaitsForRestarts',
    ],
    [
      'holds for one of many',
      'trusting',
      { anchors: { [textHash(WIDE)]: 2, [textHash('A\n')]: 1 } },
      'hold WaitsForRestarts',
    ],
    [
      'holds for a Pod that nobody can tell',
      'trusting',
      { anchors: { [textHash(WIDE)]: 2, '': 1 } },
      'hold WaitsForRestarts',
    ],
    ['holds for a Pod that is not told of', 'trusting', { anchors: { [textHash(WIDE)]: 2 } }, 'hold WaitsForRestarts'],
    ['holds where nothing is told', 'trusting', { anchors: undefined } as unknown as Change, 'hold WaitsForRestarts'],
    ['opens where there is no meshed Pod', 'trusting', { anchors: {}, pods: { count: 0 } }, 'open'],
    [
      'holds when the anchors were written again since the control plane started',
      'trusting',
      delivered({ at: at(6 * MINUTE) }),
      'hold WaitsForControlPlane',
    ],
    ['holds when others are there', 'trusting', delivered({}, 'A\n'), 'hold DeliveryChanged'],
    [
      'renewing: waits for a TTL, the spread and the skew',
      'renewing',
      { ...done, now: until - 1 },
      'wait WaitsForProxies',
    ],
    ['opens then', 'renewing', done, 'open'],
    ['by a look that is later', 'renewing', { ...done, lookedAt: at(DAY) }, 'wait WaitsForLook'],
    [
      'opens sooner when control plane and Pods started since',
      'renewing',
      {
        on,
        now: HOUR,
        lookedAt: at(HOUR),
        ...{
          pods: { count: 3, oldestStart: at(18 * MINUTE) },
          controlPlane: { count: 3, oldestStart: at(18 * MINUTE) },
        },
      },
      'open',
    ],
    [
      'not by the Pods alone: the control plane has proxies too',
      'renewing',
      { on, now: HOUR, lookedAt: at(HOUR), pods: { count: 3, oldestStart: at(18 * MINUTE) } },
      'wait WaitsForProxies',
    ],
    [
      'holds when another issuer is there',
      'renewing',
      { ...done, ...delivered({ issuer: 'sx' }) },
      'hold DeliveryChanged',
    ],
    ['holds when identity refused it since', 'renewing', { ...done, ...skipped(HOUR) }, 'hold NotTakenByIdentity'],
    [
      'holds when its metrics tell another',
      'renewing',
      { ...done, istiod: { chainNotAfter: at(365 * DAY) } },
      'hold SignerChanged',
    ],
    [
      'holds while failures have risen',
      'renewing',
      { ...done, failures: { now: 11, before: 0 } },
      'hold FailuresRisen',
    ],
  ])('%s', (_, phase, change, expected) => {
    expect(word(linkerdRenewedGate(input(phase, change)))).toBe(expected)
  })
})

describe('before a phase of Linkerd writes', () => {
  it.each<[string, CaPhase, Change, string]>([
    ['anchors are widened whatever is there', 'widening', { state: 'failed', reason: 'Unreachable' }, 'none'],
    ['the issuer may change when every Pod has both anchors', 'switching', {}, 'none'],
    [
      'not while one has others',
      'switching',
      { anchors: { [textHash(WIDE)]: 2, [textHash('A\n')]: 1 } },
      'hold WaitsForRestarts',
    ],
    ['not while the control plane has others', 'switching', old, 'hold WaitsForControlPlane'],
    ['not unseen', 'switching', { state: 'failed', reason: 'Unreachable' }, 'wait Unreachable'],
    ['not while others are there', 'switching', delivered({}, 'A\n'), 'hold DeliveryChanged'],
    [
      'the former issuer comes back by the same rule',
      'switching',
      { ...old, on: { direction: 'back' } },
      'hold WaitsForControlPlane',
    ],
    [
      'an issuer under the same anchor asks nothing of anyone',
      'switching',
      { ...old, text: 'A\n', on: { what: 'intermediate' }, anchors: { '': 1 } },
      'none',
    ],
    [
      'but not while other anchors are there',
      'switching',
      { text: 'A\n', on: { what: 'intermediate' }, ...delivered({}, 'X\n') },
      'hold DeliveryChanged',
    ],
    [
      'nor unseen',
      'switching',
      { text: 'A\n', on: { what: 'intermediate' }, state: 'failed', reason: 'Unreachable' },
      'wait Unreachable',
    ],
    [
      'the first CA needs no one',
      'switching',
      { ...old, on: { from: undefined } as unknown as Partial<CaRotation> },
      'none',
    ],
    ['an anchor goes only from what was brought', 'narrowing', { text: 'B\n', ...delivered({}, WIDE) }, 'none'],
    ['not from anything else', 'narrowing', { text: 'B\n', ...delivered({}, 'A\n') }, 'hold DeliveryChanged'],
    ['the way back may narrow from there', 'narrowing', { ...delivered({}, 'X\n'), on: { direction: 'back' } }, 'none'],
  ])('%s', (_, phase, change, expected) => {
    expect(word(linkerdBeforeWrite(input(phase, change)))).toBe(expected)
  })
})

it('each mesh has its own gates', () => {
  expect(gatesOf({ purpose: 'linkerd-identity' }).taken).toBe(linkerdTakenGate)
  expect(gatesOf({ purpose: 'mesh-ca' }).taken).not.toBe(linkerdTakenGate)
  expect(gatesOf({ purpose: 'mesh-ca' }).beforeWrite(input('switching', old))).toBeUndefined()
})
