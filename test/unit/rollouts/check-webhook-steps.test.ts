import { describe, expect, it } from 'vitest'
import { rolloutRequest } from '../../../src/model/rollout.ts'
import { stepSpec } from '../../../src/model/step.ts'
import { strategySpec } from '../../../src/model/strategy.ts'
import { checkWebhookSteps } from '../../../src/rollouts/check-webhook-steps.ts'

const addresses = { refusal: async (url: string) => (url.includes('good.example') ? undefined : 'it is not listed') }
const traffic = { weight: 10, for: '1m' }
const hook = (host: string) => ({ webhook: { url: `https://${host}:8443/hook?token=s3cret` } })

function check(request: Record<string, unknown>, base: Record<string, unknown> = {}) {
  const asked = rolloutRequest.parse({ candidate: 'v2', ...request })
  const { steps, waves } = asked
  const spec = strategySpec.parse({
    steps: [traffic],
    gates: [],
    ...base,
    ...JSON.parse(JSON.stringify({ steps, waves })),
  })
  return checkWebhookSteps(addresses, spec, asked)
}

const refused = (pointer: string) => ({
  ok: false,
  failure: {
    code: 'InvalidCombination',
    detail: 'The webhook at bad.example:8443 may not be called: it is not listed.',
    errors: [{ pointer, reason: 'it is not listed' }],
    hint: expect.stringContaining('Add bad.example:8443 to the setting MESHWRIGHT_OUTSIDE_HOSTS'),
  },
})

describe('webhooks of the steps of a rollout', () => {
  it('may lead to hosts of the settings', async () => {
    expect(await check({ steps: [traffic, hook('good.example')] })).toMatchObject({ ok: true })
    expect(await check({})).toMatchObject({ ok: true })
  })

  it('are refused where they may not be called, with the place and the way out', async () => {
    const bad = [traffic, hook('bad.example')]
    expect(await check({ steps: bad })).toMatchObject(refused('/steps/1/webhook/url'))
    expect(await check({ waves: [{}, { steps: bad }] })).toMatchObject(refused('/waves/1/steps/1/webhook/url'))
    expect(await check({}, { steps: bad })).toMatchObject(refused('/strategy'))
    expect(await check({}, { waves: [{ steps: bad }] })).toMatchObject(refused('/strategy'))
  })

  it('are signed with keys of their own and no other secret of the vault', () => {
    const signedWith = (secret: string) => stepSpec.safeParse({ webhook: { url: 'https://a.example/', secret } })
    for (const secret of ['webhook-signing', 'webhook-shop']) expect(signedWith(secret).success).toBe(true)
    for (const secret of [
      'slack-signing-secret',
      'teams-shop',
      'web-tls',
      'webhook',
      'my-webhook-key',
      'Webhook-a',
      '',
    ])
      expect([secret, signedWith(secret).success]).toEqual([secret, false])
    expect(signedWith('slack-signing-secret').error?.issues).toMatchObject([
      { path: ['webhook', 'secret'], message: expect.stringContaining('must begin with webhook-') },
    ])
  })

  it('go by https, or stay on the machine', () => {
    const urls = ['https://a.example/', 'http://127.0.0.1:7072/webhooks/smoke', 'http://[::1]/', 'http://localhost/']
    for (const url of urls) expect(stepSpec.safeParse({ webhook: { url } }).success).toBe(true)
    for (const url of [
      'http://a.example/',
      'http://127.0.0.1.evil.example/',
      'http://10.0.0.1/',
      'ftp://localhost/',
      'x',
    ])
      expect(stepSpec.safeParse({ webhook: { url } }).success).toBe(false)
  })
})
