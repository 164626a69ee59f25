import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseCommand } from '../../../src/chat/parse-command.ts'

describe('a command', () => {
  it.each([
    ['', { verb: 'help' }],
    ['  Help me ', { verb: 'help' }],
    ['status shop/web', { verb: 'status', target: { kind: 'service', namespace: 'shop', name: 'web' }, note: '' }],
    ['abort web too many errors', { verb: 'abort', target: { kind: 'name', name: 'web' }, note: 'too many errors' }],
    ['ABORT `Shop/Web`.', { verb: 'abort', target: { kind: 'service', namespace: 'shop', name: 'web' }, note: '' }],
    ['approve shop.web.k3x7', { verb: 'approve', target: { kind: 'rollout', id: 'shop.web.k3x7' }, note: '' }],
    [
      'approve shop.web.k3x7 wave 2 step 1',
      { verb: 'approve', target: { kind: 'rollout', id: 'shop.web.k3x7' }, note: '', at: { wave: 1, step: 0 } },
    ],
    [
      'Reject web Step 3: not yet',
      { verb: 'reject', target: { kind: 'name', name: 'web' }, note: 'not yet', at: { step: 2 } },
    ],
    ['approve web wave 2', { verb: 'approve', target: { kind: 'name', name: 'web' }, note: '', at: { wave: 1 } }],
    ['approve web step by step', { verb: 'approve', target: { kind: 'name', name: 'web' }, note: 'step by step' }],
    ['approve web step 0', { verb: 'approve', target: { kind: 'name', name: 'web' }, note: 'step 0' }],
    ['abort web step 3 hangs', { verb: 'abort', target: { kind: 'name', name: 'web' }, note: 'step 3 hangs' }],
    ['rotate\u00a0web-tls', { verb: 'rotate', target: { kind: 'name', name: 'web-tls' }, note: '' }],
    ['pause web a\u202eb\nc', { verb: 'pause', target: { kind: 'name', name: 'web' }, note: 'a b c' }],
  ])('%j', (text, command) => {
    expect(parseCommand(text)).toEqual({ ok: true, command })
  })

  it.each([
    'dance web',
    'abort',
    'abort a/b/c',
    'abort shop/',
    'abort /web',
    'abort <!channel>',
    'abort shop.web',
    '__proto__ web',
  ])('that is none says so, and where help is: %j', (text) => {
    expect(parseCommand(text)).toMatchObject({ ok: false, problem: expect.stringContaining('Say help') })
  })

  it('is parsed or refused whatever the text, and bounded', () => {
    const words = fc.constantFrom(
      'abort',
      'status',
      'pause',
      'web',
      'shop/web',
      'shop.web.k3',
      ' ',
      '\n',
      '`',
      '<',
      '\u0000',
    )
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(fc.oneof(words, fc.string())).map((all) => all.join(' ')),
    )
    fc.assert(
      fc.property(texts, (text) => {
        const parsed = parseCommand(text)
        if (!parsed.ok) expect(parsed.problem.length).toBeLessThan(200)
        if (!parsed.ok || parsed.command.verb === 'help') return
        expect([...parsed.command.note].length).toBeLessThanOrEqual(500)
        expect(parsed.command.note).not.toMatch(/[\p{Cc}]/u)
        expect(JSON.stringify(parsed.command.target)).toMatch(/^[a-z0-9":,{}./-]+$/i)
      }),
    )
  })
})
