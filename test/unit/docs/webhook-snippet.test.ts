import { readFileSync } from 'node:fs'
import { Webhook } from 'standardwebhooks'
import { describe, expect, it } from 'vitest'

const SECRET = `whsec_${Buffer.alloc(32, 9).toString('base64')}`
const BODY = '{"note":"ä"}'

type Verify = (headers: Readonly<Record<string, string>>, body: Buffer, secret: string) => boolean

/** The function that docs/rollouts.md gives to receivers. */
async function documented(): Promise<Verify> {
  const [, script = ''] = /```js\n([\s\S]*?)```/.exec(readFileSync('docs/rollouts.md', 'utf8')) ?? []
  return (await import(`data:text/javascript,${encodeURIComponent(script)}`)).isFromMeshwright
}

function signed(at = Date.now(), secret = SECRET) {
  const date = new Date(at)
  const signature = new Webhook(secret).sign('a_0_1', date, BODY)
  const timestamp = String(Math.floor(at / 1000))
  return { 'webhook-id': 'a_0_1', 'webhook-timestamp': timestamp, 'webhook-signature': `v1,AAAA ${signature}` }
}

describe('the check that the documentation gives to receivers of webhooks', () => {
  it('takes what is signed, and nothing else', async () => {
    const verify = await documented()
    const body = Buffer.from(BODY)
    expect(verify(signed(), body, SECRET)).toBe(true)
    const other = `whsec_${Buffer.alloc(32, 8).toString('base64')}`
    const wrong: readonly (readonly [Readonly<Record<string, string>>, Buffer])[] = [
      [signed(), Buffer.from(`${BODY} `)],
      [signed(Date.now() - 301_000), body],
      [signed(Date.now() + 302_000), body],
      [signed(Date.now(), other), body],
      [{ ...signed(), 'webhook-id': 'b_0_1' }, body],
      [{ ...signed(), 'webhook-signature': `v1,${'é'.repeat(44)}` }, body],
      [{}, body],
    ]
    for (const [headers, sent] of wrong) expect(verify(headers, sent, SECRET)).toBe(false)
  })
})
