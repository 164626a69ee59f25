import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createWorld } from './fixture.ts'

describe.each(['/', '/docs'])('the page at %s', (path) => {
  const load = () => createWorld().call('GET', path, { token: null })

  it('loads nothing from outside and runs only its own script', async () => {
    const { text, headers } = await load()
    expect(headers['content-type']).toBe('text/html; charset=utf-8')
    const policy = headers['content-security-policy'] ?? ''
    expect(policy).toMatch(/^default-src 'none'; /)
    expect(policy).not.toContain('unsafe')
    for (const [tag, directive] of [
      ['script', 'script-src'],
      ['style', 'style-src'],
    ] as const) {
      const inside = [...text.matchAll(new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`, 'g'))]
      expect(inside).toHaveLength(1)
      const hash = createHash('sha256')
        .update(inside[0]?.[1] ?? '')
        .digest('base64')
      expect(policy).toContain(`${directive} 'sha256-${hash}'`)
    }
    expect(text).not.toMatch(/https?:\/\//)
    expect(text).not.toMatch(/\b(src|href)="(?!\/|data:,|#)/)
    expect(text).not.toMatch(/ (style|on\w+)="/)
  })

  it('never makes markup of data', async () => {
    expect((await load()).text).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b/)
  })
})
