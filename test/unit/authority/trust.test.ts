import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { readPem } from '../../../src/authority/pem.ts'
import { canReplace, rootsOf, type Trusted, widen } from '../../../src/authority/trust.ts'
import { DAY_MS, makeCa, NOW } from './ca-maker.ts'

let pems: string[]
beforeAll(async () => {
  const made = await Promise.all(
    [1, 2, 3, 4].map((at) => makeCa({ subject: `O=Shop, CN=Root ${at}`, serial: `0a${at}f` })),
  )
  pems = made.map(({ cert }) => cert)
})

function unwrap<T>(trusted: Trusted<T>): T {
  if (!trusted.ok) throw new Error(trusted.message)
  return trusted.value
}

/** What istiod until 1.29 and from 1.30 on ask, written as istiod has it. */
const holdsBytes = (a: string, b: string) => a.includes(b) || b.includes(a)
const dersOf = (pem: string) => new Set(readPem(pem).blocks.map(({ der }) => Buffer.from(der).toString('hex')))
function holdsSet(a: string, b: string): boolean {
  const [one, two] = [dersOf(a), dersOf(b)]
  return [...one].every((der) => two.has(der)) || [...two].every((der) => one.has(der))
}

/** Bundles of some of the roots, in any order, with text between and lines as people leave them. */
const bundle = fc
  .tuple(
    fc.shuffledSubarray([0, 1, 2, 3], { minLength: 1 }),
    fc.constantFrom('', '# by hand\n', '\n', '\r\n'),
    fc.boolean(),
  )
  .map(([picked, between, isTrimmed]) => {
    const text = picked.map((at) => between + pems[at]).join('')
    return isTrimmed ? text.trimEnd() : text
  })

describe('the roots of a text', () => {
  it('are told by fingerprint, subject, serial and end, each once', () => {
    const [a = '', b = ''] = pems
    const roots = unwrap(rootsOf(`# one\n${a}${b}${a}`))
    expect(roots).toEqual([
      {
        fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
        subject: 'O=Shop, CN=Root 1',
        serial: 'a1f',
        notBefore: new Date(NOW - 30 * DAY_MS).toISOString(),
        notAfter: new Date(NOW + 3650 * DAY_MS).toISOString(),
      },
      expect.objectContaining({ subject: 'O=Shop, CN=Root 2', serial: 'a2f' }),
    ])
  })

  it.each([
    ['nothing', () => ''],
    ['text', () => 'no certificate'],
    ['a block that is cut off', () => (pems[0] ?? '').slice(0, -20)],
    ['blocks glued together', () => (pems[0] ?? '').trim() + pems[1]],
    [
      'a block that is no certificate',
      () => `${pems[0]}-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n`,
    ],
  ])('are not read out of %s', (_, text) => {
    expect(rootsOf(text())).toMatchObject({ ok: false, reason: 'RootsUnreadable' })
    for (const other of [text(), pems[1] ?? '']) {
      expect(widen(text(), other)).toMatchObject({ ok: false, reason: 'RootsUnreadable' })
      expect(widen(other, text())).toMatchObject({ ok: false, reason: 'RootsUnreadable' })
      expect(canReplace(other, text())).toMatchObject({ ok: false, reason: 'RootsUnreadable' })
    }
  })
})

describe('a wider bundle', () => {
  it('is taken by every istiod in place of the old one, and the new one later in place of it', () => {
    fc.assert(
      fc.property(bundle, bundle, (old, added) => {
        const wide = unwrap(widen(old, added))
        for (const part of [old, added]) {
          expect(wide.includes(part)).toBe(true)
          expect(canReplace(part, wide)).toEqual({ ok: true, value: true })
          expect(canReplace(wide, part)).toEqual({ ok: true, value: true })
        }
        expect(dersOf(wide)).toEqual(new Set([...dersOf(old), ...dersOf(added)]))
      }),
    )
  })

  it('is itself when it is widened once more, and old where there is nothing to add', () => {
    fc.assert(
      fc.property(bundle, bundle, (old, added) => {
        const wide = unwrap(widen(old, added))
        expect(unwrap(widen(wide, added))).toBe(wide)
        expect(unwrap(widen(wide, old))).toBe(wide)
        expect(unwrap(widen(old, old))).toBe(old)
      }),
    )
  })
})

describe('what a running istiod takes', () => {
  it('is what both of its rules take, whichever version runs', () => {
    const seen = { taken: 0, refused: 0 }
    fc.assert(
      fc.property(bundle, bundle, (old, next) => {
        const isTaken = canReplace(old, next).ok
        expect(isTaken).toBe(holdsBytes(old, next) && holdsSet(old, next))
        expect(canReplace(next, old).ok).toBe(isTaken)
        seen[isTaken ? 'taken' : 'refused'] += 1
      }),
      { numRuns: 500 },
    )
    expect(Math.min(seen.taken, seen.refused)).toBeGreaterThan(20)
  })

  it('is no A → B, and no set in other bytes', () => {
    const [a = '', b = ''] = pems
    expect(canReplace(a, b)).toMatchObject({ ok: false, reason: 'RootsUnrelated' })
    expect(canReplace(a + b, b + a)).toMatchObject({ ok: false, reason: 'BytesUnrelated' })
    expect(canReplace(a, a.replaceAll('\n', '\r\n'))).toMatchObject({ ok: false, reason: 'BytesUnrelated' })
    for (const [old, next] of [
      [a, a + b],
      [a + b, b],
      [a + b, a],
      [a, a],
    ] as const)
      expect(canReplace(old, next)).toEqual({ ok: true, value: true })
  })
})
