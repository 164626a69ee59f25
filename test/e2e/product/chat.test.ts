import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SANDBOX_PEOPLE } from '../../../src/sandbox/identities.ts'
import { answersAt, type HookAnswer, mapSlackUser, mention, mentioned, slash, slashed } from './chat-client.ts'
import { type Product, startProduct } from './product.ts'
import { until } from './until.ts'
import { SLOW, webService } from './web-service.ts'

let product: Product

beforeAll(async () => {
  product = await startProduct()
  await mapSlackUser(product)
})
afterAll(() => product.close())

const refused = ({ status, text }: HookAnswer) => [status, (JSON.parse(text) as { code: string }).code]
const UNAUTHENTICATED = [401, 'Unauthenticated']

interface AuditPage {
  readonly value: readonly { readonly action: string; readonly origin: object }[]
}

async function started(name: string, clusters = ['east']) {
  const web = await webService(product, name, clusters)
  const { id } = await web.start(SLOW)
  await product.rolloutWhen(id, ({ weight }) => weight === 20)
  return { web, id, phase: async () => (await product.rollout(id)).phase }
}

describe('chat', { concurrent: true, timeout: 120_000 }, () => {
  test('Slack: who deploys pauses, resumes and aborts; each is done as that person', async () => {
    const { web, id } = await started('slack')
    const paused = await slashed(product, `pause ${web.name} a closer look`)
    expect(JSON.parse(paused.text)).toMatchObject({
      response_type: 'in_channel',
      text: `pause, asked for by Dana Deployer. Rollout ${id} of v2 is paused at 20 %: Dana Deployer paused: a closer look`,
    })
    await slashed(product, `resume ${id}`)
    await product.rolloutWhen(id, ({ phase }) => phase === 'progressing')
    await slashed(product, `abort shop/${web.name}`)
    const end = await product.rolloutWhen(id, ({ phase }) => phase === 'aborted')
    const { oid, name } = SANDBOX_PEOPLE.deployer
    const byDana = end.history.filter(({ actor }) => actor.id === oid)
    expect([...new Set(byDana.map(({ actor, reason }) => `${actor.name} ${reason}`))]).toEqual([
      `${name} PausedByHand`,
      `${name} Resumed`,
      `${name} Aborted`,
    ])
    expect(await web.shares()).toMatchObject({ east: { v1: 100 } })
    const audit = await until(
      async () => (await product.call<AuditPage>('GET', `/audit?subject=rollouts/${id}&actor=${oid}`)).body.value,
      (value) => value.some(({ action }) => action === 'rollout.abort'),
    )
    expect(audit).toContainEqual(
      expect.objectContaining({ action: 'rollout.abort', origin: { kind: 'slack', ref: '#deploys' } }),
    )
  })

  test('Slack: forged, late and repeated calls', async () => {
    const { web, id, phase } = await started('forged')
    const text = `abort ${web.name}`
    expect(refused(await slashed(product, text, { secret: '0'.repeat(32) }))).toEqual(UNAUTHENTICATED)
    expect(refused(await slashed(product, text, { oldS: 301 }))).toEqual(UNAUTHENTICATED)
    expect(refused(await slashed(product, text, { oldS: -310 }))).toEqual(UNAUTHENTICATED)
    expect(await phase()).toBe('progressing')
    const first = await slashed(product, `pause ${web.name}`, { trigger: 'same' })
    await product.call('POST', `/rollouts/${id}/resume`)
    const again = await slashed(product, `pause ${web.name}`, { trigger: 'same' })
    expect(again.text).toBe(first.text)
    expect(await phase()).toBe('progressing')
  })

  test('Slack: who is not known may only read', async () => {
    const { web, phase } = await started('stranger')
    const user = 'U0STRANGER'
    expect((await slashed(product, `abort ${web.name}`, { user })).text).toContain('do not know who you are')
    expect((await slashed(product, `status ${web.name}`, { user })).text).toContain('progressing at 20 %')
    expect(await phase()).toBe('progressing')
  })

  test('Teams: forged, old and repeated calls, strangers, and roles', async () => {
    const { web, id, phase } = await started('teams')
    const text = `abort ${web.name}`
    expect(refused(await mentioned(product, text, { token: Buffer.from('another').toString('base64') }))).toEqual(
      UNAUTHENTICATED,
    )
    expect(refused(await mentioned(product, text, { at: Date.now() - 2 * 3_600_000 }))).toEqual(UNAUTHENTICATED)
    const person = '00000000-bbbb-4000-8000-000000000099'
    expect((await mentioned(product, text, { person })).text).toContain('do not know who you are')
    expect((await mentioned(product, `status ${web.name}`, { person })).text).toContain('progressing at 20 %')
    expect((await mentioned(product, text, { person: SANDBOX_PEOPLE.viewer.oid })).text).toContain(
      'needs the role Mesh.Deployer',
    )
    expect(await phase()).toBe('progressing')
    const first = await mentioned(product, `pause ${web.name}`, { id: 'same' })
    expect(JSON.parse(first.text)).toMatchObject({
      type: 'message',
      text: expect.stringContaining('Dana Deployer paused'),
    })
    await product.call('POST', `/rollouts/${id}/resume`)
    expect((await mentioned(product, `pause ${web.name}`, { id: 'same' })).text).toBe(first.text)
    expect(await phase()).toBe('progressing')
  })

  test('an approval is for the step that it names: late, by chat or REST, it changes nothing', async () => {
    const web = await webService(product, 'named', ['east'])
    const steps = [{ weight: 20, for: '1s', approval: true }, { approval: true }]
    const { id } = await web.start({ ...SLOW, steps, gates: [] })
    const waitsAt = (step: number) =>
      product.rolloutWhen(id, (rollout) => rollout.phase === 'awaiting-approval' && rollout.step === step)
    const approve = (step: number, as: 'admin' | 'approver' = 'approver') =>
      product.call('POST', `/rollouts/${id}/approve`, { body: { wave: 0, step }, as })
    await waitsAt(0)
    expect(await approve(1)).toMatchObject({ status: 409, body: { code: 'NotAtStep' } })
    expect(await approve(0)).toMatchObject({ status: 200 })
    await waitsAt(1)
    const person = SANDBOX_PEOPLE.approver.oid
    expect((await mentioned(product, `reject ${id} wave 1 step 1`, { person })).text).toContain('waits at step 2 of 2')
    // Its own approval that comes again.
    expect(await approve(0)).toMatchObject({ status: 200, body: { phase: 'awaiting-approval', approvals: [] } })
    await mentioned(product, `approve shop/${web.name} step 2`, { person })
    await product.rolloutWhen(id, ({ endedAt }) => endedAt !== undefined)
  })

  test('a certificate is rotated by who operates, and by nobody else', async () => {
    const body = {
      purpose: 'gateway-tls',
      dnsNames: ['chat.example.com'],
      clusters: [],
      secret: { namespace: 'shop', name: 'chat-tls' },
      issuer: { kind: 'self' },
    }
    expect((await product.call('PUT', '/certificates/chat-tls', { body })).status).toBe(201)
    const serial = async () => (await product.call<{ serial?: string }>('GET', '/certificates/chat-tls')).body.serial
    const first = await until(serial, (seen) => seen !== undefined)
    expect((await mentioned(product, 'rotate chat-tls')).text).toContain('needs the role Mesh.Operator')
    const person = SANDBOX_PEOPLE.operator.oid
    const answer = await mentioned(product, 'rotate chat-tls the key was seen', { person })
    expect(answer.text).toContain('rotate, asked for by Olu Operator')
    await until(serial, (seen) => seen !== first)
  })
})

test('a slow cluster: chats are answered in time, the rest comes by response_url, once', {
  timeout: 120_000,
}, async () => {
  const slow = await started('slow')
  const other = await started('slower')
  // One answer alone takes longer than Teams waits.
  await product.world('PATCH', '/clusters/east', { answerMs: 4000 })
  const responseUrl = 'https://hooks.slack.com/commands/T/slow/x'
  const bySlack = await slash(product, `abort ${slow.web.name}`, { responseUrl })
  expect(bySlack.text).toContain('Working on it')
  // The answer did not wait for the cluster.
  expect(await slow.phase()).toBe('rolling-back')
  const byTeams = await mention(product, `abort ${other.web.name}`)
  expect(byTeams.text).toContain('Working on it')
  await product.world('PATCH', '/clusters/east', { answerMs: 0 })
  const answers = await until(
    () => answersAt(product, responseUrl),
    (all) => all.length > 0,
  )
  expect(answers).toEqual([expect.stringContaining('abort, asked for by Dana Deployer')])
  for (const { id } of [slow, other]) await product.rolloutWhen(id, ({ phase }) => phase === 'aborted')
  expect(await answersAt(product, responseUrl)).toHaveLength(1)
})
