import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hasAlertSecret, isSignedByGrafana } from '../../../../src/http/hooks/verify-alert.ts'
import { isFromSlack } from '../../../../src/http/hooks/verify-slack.ts'
import { isFromTeams } from '../../../../src/http/hooks/verify-teams.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

/** The example of Slack's documentation ("Verifying requests from Slack"). */
const SECRET = '8f742231b10e8888abcd99yyyzzz85a5'
const SIGNATURE = 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503'
const BODY =
  'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c'
const AT = 1_531_420_618_000

describe("a call that claims to be Slack's", () => {
  const slack = (change: {
    timestamp?: string
    signature?: string
    body?: string
    secrets?: string[]
    now?: number
  }) => {
    const { timestamp = '1531420618', signature = SIGNATURE, body = BODY, secrets = [SECRET], now = AT } = change
    const headers = { 'x-slack-signature': signature, 'x-slack-request-timestamp': timestamp }
    return isFromSlack({ headers, body: bytes(body) }, secrets, now)
  }

  it.each([
    ["as in Slack's documentation", {}, true],
    ['299 s later', { now: AT + 299_000 }, true],
    ['while the secret is being changed', { secrets: ['a-newer-signing-secret', SECRET] }, true],
    ['301 s later', { now: AT + 301_000 }, false],
    ['from 301 s in the future', { now: AT - 301_000 }, false],
    ['with another body', { body: `${BODY}&x=1` }, false],
    ['with another time', { timestamp: '1531420619' }, false],
    ['with a time that is none', { timestamp: '1531420618.0' }, false],
    ['with another secret', { secrets: ['another-signing-secret'] }, false],
    ['with no secret set up', { secrets: [] }, false],
    ['with a signature cut short', { signature: SIGNATURE.slice(0, -1) }, false],
    ['with no signature', { signature: '' }, false],
  ] as const)('%s', (_, change, taken) => {
    expect(slack({ ...change, secrets: [...('secrets' in change ? change.secrets : [SECRET])] })).toBe(taken)
  })

  it('lets nobody in by chance', () => {
    fc.assert(fc.property(fc.string(), fc.string(), (signature, timestamp) => !slack({ signature, timestamp })))
  })
})

describe("a call that claims to be Teams'", () => {
  const token = Buffer.from('the key of a webhook').toString('base64')
  const body = bytes('{"text":"<at>mesh</at> status web – ünïcode"}')
  const sign = (key: string) => createHmac('sha256', Buffer.from(key, 'base64')).update(body).digest('base64')

  it.each([
    ['signed with the decoded token', { authorization: `HMAC ${sign(token)}` }, [token], true],
    ['while one token takes the place of another', { authorization: `HMAC ${sign(token)}` }, ['b3RoZXI=', token], true],
    [
      'signed with the token as it is written',
      { authorization: `HMAC ${createHmac('sha256', token).update(body).digest('base64')}` },
      [token],
      false,
    ],
    ['signed with another token', { authorization: `HMAC ${sign('b3RoZXI=')}` }, [token], false],
    ['as a bearer', { authorization: `Bearer ${sign(token)}` }, [token], false],
    ['with no signature', {}, [token], false],
    ['with no token set up', { authorization: `HMAC ${sign(token)}` }, [], false],
  ] as const)('%s', (_, headers, tokens, taken) => {
    expect(isFromTeams({ headers: { ...headers }, body }, tokens)).toBe(taken)
  })
})

describe("a call that claims to be a monitor's", () => {
  const secret = 'a-secret-of-monitors'
  const body = bytes('{"alerts":[]}')
  const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` })

  it.each([
    ['with the secret as a bearer', { authorization: `Bearer ${secret}` }, true],
    ['with the secret as a password', basic(`alertmanager:${secret}`), true],
    ['with the secret as a user name', basic(`${secret}:`), false],
    ['with an empty password', basic('alertmanager:'), false],
    ['with another secret', { authorization: 'Bearer another-secret' }, false],
    ['with nothing', {}, false],
  ] as const)('%s', (_, headers, taken) => {
    expect(hasAlertSecret({ headers: { ...headers }, body }, [secret])).toBe(taken)
  })

  it('signed by Grafana, over the body or over a time of now and the body', () => {
    const hmac = (...parts: readonly (string | Uint8Array)[]) => {
      const made = createHmac('sha256', secret)
      for (const part of parts) made.update(part)
      return made.digest('hex')
    }
    const signature = 'x-grafana-alerting-signature'
    const time = 'x-grafana-alerting-timestamp'
    const taken = (headers: Record<string, string>, now = AT) => isSignedByGrafana({ headers, body }, [secret], now)
    const timed = { [signature]: hmac('1531420618:', body), [time]: '1531420618' }
    expect(taken({ [signature]: hmac(body) })).toBe(true)
    expect(taken(timed)).toBe(true)
    expect(taken(timed, AT + 301_000)).toBe(false)
    expect(taken({ [signature]: timed[signature] ?? '' })).toBe(false)
    expect(taken({ ...timed, [signature]: hmac(body) })).toBe(false)
    expect(taken({})).toBe(false)
  })
})
