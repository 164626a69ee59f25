import { describe, expect, it } from 'vitest'
import { renewedGate, takenGate } from '../../../src/mesh-ca/gates.ts'
import type { CaRotation } from '../../../src/model/ca-rotation.ts'
import type { TrustDocument } from '../../../src/model/documents.ts'
import type { IstiodWords } from '../../../src/model/trust.ts'
import { at, input, trust } from './gate-input.ts'
import { DAY, MINUTE, START } from './world.ts'

const WRITTEN = at(MINUTE)
const ROOT = { line: 'warn Updating new ROOT-CA not supported', pod: 'istio-system/istiod-1' }
const BUNDLE = { line: 'error Failed to update new Plug-in CA certs: no', pod: 'istio-system/istiod-1' }

function words(state: IstiodWords['state'], change: Partial<IstiodWords> = {}): IstiodWords {
  return { since: WRITTEN, state, ...change }
}

function gate(
  said: IstiodWords | undefined,
  {
    on = {},
    now = START + 3 * MINUTE,
    seen = {},
  }: { on?: Partial<CaRotation>; now?: number; seen?: Partial<TrustDocument> },
) {
  const lookedAt = new Date(now - 1000).toISOString()
  return takenGate(input({ on, now, trust: trust({ lookedAt, ...seen, ...(said ? { words: said } : {}) }) }))
}

const WITHOUT = { bundles: [{ roots: ['a'], namespaces: 1, examples: ['x'] }] }
const REFUSED_ROOT = words('refused', { ...ROOT, at: at(2 * MINUTE) })
const REFUSED_BUNDLE = words('refused', { ...BUNDLE, at: at(2 * MINUTE) })

describe("istiod's own words at the gate of a phase that writes", () => {
  it.each<[string, IstiodWords | undefined, Parameters<typeof gate>[1], string]>([
    ['a root refused holds at once', REFUSED_ROOT, { seen: WITHOUT }, 'hold RefusedByIstiod'],
    ['though bundles are as wanted: it is one of two', REFUSED_ROOT, {}, 'hold RefusedByIstiod'],
    [
      'though the last look failed',
      REFUSED_ROOT,
      { seen: { state: 'failed', reason: 'Unreachable' } },
      'hold RefusedByIstiod',
    ],
    ['a mix waits for the next mount', REFUSED_BUNDLE, { seen: WITHOUT }, 'wait WaitsForIstiod'],
    ['and opens nothing meanwhile', REFUSED_BUNDLE, { on: { phase: 'switching' } }, 'wait WaitsForIstiod'],
    ['and is a refusal after that', REFUSED_BUNDLE, { now: START + 7 * MINUTE }, 'hold RefusedByIstiod'],
    ['words of another write tell nothing', { ...REFUSED_ROOT, since: at(0) }, {}, 'open'],
    [
      'that it took it is not enough where bundles lack a root',
      words('taken'),
      { seen: WITHOUT },
      'wait WaitsForBundles',
    ],
    ['silence is as before', words('silent'), {}, 'open'],
    ['what cannot be read is as before', words('unreadable', { line: 'denied' }), {}, 'open'],
    [
      'switching: a refusal counts for nothing once every replica is seen to sign with it',
      REFUSED_BUNDLE,
      { on: { phase: 'switching' }, now: START + 7 * MINUTE, seen: { istiod: { chainNotAfter: at(100 * DAY) } } },
      'open',
    ],
    [
      'switching: its word does not stand against its metrics',
      words('taken', { at: at(2 * MINUTE) }),
      { on: { phase: 'switching' }, seen: { istiod: { chainNotAfter: at(365 * DAY) } } },
      'wait WaitsForIstiod',
    ],
    ['switching: silence waits for the spread', words('silent'), { on: { phase: 'switching' } }, 'wait WaitsForIstiod'],
    [
      'switching: and goes on by time then',
      words('silent'),
      { on: { phase: 'switching' }, now: START + 17 * MINUTE },
      'open',
    ],
    ['switching: what cannot be read goes on by time', words('unreadable'), { on: { phase: 'switching' } }, 'open'],
  ])('%s', (_, said, change, expected) => {
    const found = gate(said, change)
    expect(found.kind === 'open' ? 'open' : `${found.kind} ${found.reason}`).toBe(expected)
  })

  it('give their line and the way out', () => {
    const text = (on: Partial<CaRotation>, said = REFUSED_ROOT) => {
      const found = gate(said, { on, now: START + 7 * MINUTE })
      return found.kind === 'hold' ? found.message : ''
    }
    expect(text({ phase: 'widening' })).toContain('istiod (Pod istio-system/istiod-1) says: "warn Updating new ROOT-CA')
    expect(text({ phase: 'widening' })).toMatch(/ISTIO_MULTIROOT_MESH=true.*abort takes the new root out/)
    expect(text({ phase: 'switching' }, REFUSED_BUNDLE)).toMatch(/do not fit together.*former intermediate sign again/)
    expect(text({ phase: 'narrowing' })).not.toContain('abort')
    expect(text({ phase: 'widening', direction: 'back' })).not.toContain('abort')
  })

  it('make the TTL count from the look that saw them, and it says so; without them from the write and the spread', () => {
    const on = { phase: 'switching' } as const
    const said = gate(words('taken', { at: at(2 * MINUTE) }), { on })
    expect(said).toMatchObject({ kind: 'open', takenAt: START + 3 * MINUTE - 1000 })
    expect(said.kind === 'open' && said.note).toContain('own log says that it took it')
    const denied = gate(words('unreadable', { line: 'get pods/log is not granted' }), { on })
    expect(denied).toMatchObject({ kind: 'open', takenAt: START + 16 * MINUTE })
    expect(denied.kind === 'open' && denied.note).toMatch(
      /do not tell.*log cannot be read: get pods\/log is not granted/,
    )
  })

  it('are noted where it takes long', () => {
    const late = { now: START + 20 * MINUTE, seen: WITHOUT }
    const silent = gate(words('silent'), late)
    expect(silent).toMatchObject({ reason: 'NotTakenByIstiod', message: expect.stringContaining('says nothing of it') })
    const denied = gate(words('unreadable', { line: 'denied' }), late)
    expect(denied).toMatchObject({
      reason: 'NotTakenByIstiod',
      message: expect.stringContaining('cannot be read: denied'),
    })
  })

  it('are told while proxies follow', () => {
    const on = { phase: 'renewing', takenAt: at(2 * MINUTE) } as const
    const said = renewedGate(input({ on, trust: trust({ words: words('taken') }) }))
    expect(said).toMatchObject({ kind: 'wait', message: expect.stringContaining('own log says') })
    expect(renewedGate(input({ on }))).toMatchObject({ message: expect.stringContaining('from the write') })
  })
})
