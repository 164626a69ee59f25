import { beforeEach, describe, expect, it } from 'vitest'
import { carryOutCommand } from '../../../../src/chat/carry-out-command.ts'
import type { CommandDocument } from '../../../../src/model/documents.ts'
import type { Caller } from '../../../../src/model/identity.ts'
import { PortError } from '../../../../src/ports/port-error.ts'
import { rollout, SHOP_GROUP, START, shopWorld, teamDocument, type World } from '../fixture.ts'
import { DANA, mention, press, RESPONSE_URL, SLACK_USER, signed, slash } from './sign.ts'

const ID = 'shop.web.aaaaaaaaaa'
const dana: Caller = {
  id: DANA,
  name: 'Dana <!channel> *D*',
  kind: 'person',
  roles: ['Mesh.Deployer'],
  groups: [SHOP_GROUP],
}

let world: World
beforeEach(() => {
  world = shopWorld({ rollouts: [rollout({ startedAt: new Date(START - 60_000).toISOString() })] })
  world.store.put(teamDocument('shop', { chat: { slackUsers: { [SLACK_USER]: DANA } } }))
  world.people.set(DANA, dana)
  // Time is never up, unless a test says so.
  world.clock.onSleep = () => new Promise(() => undefined)
})

async function commands(): Promise<readonly CommandDocument[]> {
  return (await world.store.list('command')).value.map(({ value }) => value)
}
const phase = () => world.store.get('service', 'shop/web').rollouts[0]?.phase

describe('a command in Slack', () => {
  it('is done as the person that the team names, and the channel is told', async () => {
    const answer = await slash(world, 'abort web too many errors')
    expect(answer.status).toBe(200)
    expect(answer.json).toMatchObject({
      response_type: 'in_channel',
      text: expect.stringContaining(`Rollout ${ID} of v2 is rolling-back`),
    })
    expect(answer.json.text).toContain('too many errors')
    expect(world.store.get('service', 'shop/web').rollouts[0]).toMatchObject({
      phase: 'rolling-back',
      history: [{}, { actor: { id: DANA, kind: 'person' } }],
    })
    expect(world.seen.carried).toEqual(['shop/web east'])
  })

  it('shows names as they are: nothing in them is a mention or a format', async () => {
    const { json } = await slash(world, 'pause web')
    expect(json.text).toContain('Dana &lt;!channel&gt; \u200b*D\u200b* paused')
  })

  it('is kept with who asked, from where, and what was answered', async () => {
    await slash(world, 'pause web')
    expect(await commands()).toMatchObject([
      {
        text: 'pause web',
        state: 'done',
        from: { kind: 'slack', id: SLACK_USER },
        caller: { id: DANA },
        origin: { kind: 'slack', ref: '#deploys' },
        answer: { audience: 'channel' },
        replyTo: { kind: 'none' },
        ttl: 7 * 24 * 3600,
      },
    ])
    expect((await commands())[0]?.dueAt).toBeUndefined()
  })

  it('that comes again is answered as before, and done once', async () => {
    const first = await slash(world, 'pause web')
    world.store.change('service', 'shop/web', (service) => ({ ...service, rollouts: [rollout()] }))
    const again = await slash(world, 'pause web')
    expect(again.json).toEqual(first.json)
    expect(phase()).toBe('progressing')
  })

  it('of a person whom no team names is read, and nothing more', async () => {
    const refused = await slash(world, 'abort web', { user_id: 'U0STRANGER' })
    expect(refused.json).toMatchObject({
      response_type: 'ephemeral',
      text: expect.stringContaining('do not know who you are'),
    })
    expect(phase()).toBe('progressing')
    const read = await slash(world, 'status web', { user_id: 'U0STRANGER' })
    expect(read.json.text).toContain(`Rollout ${ID} of v2 is progressing at 10 %`)
    expect((await slash(world, 'help', { user_id: 'U0STRANGER' })).json.text).toContain('abort NAME')
  })

  it.each([
    ['without the role', { roles: ['Mesh.Viewer'] as const }, 'abort web', /needs the role Mesh.Deployer/],
    ['without the role of approvers', {}, 'approve web', /needs the role Mesh.Approver/],
    ['of another team', { groups: [] }, 'abort web', /does not belong to team shop/],
  ])('of a person %s is refused', async (_, change, text, words) => {
    world.people.set(DANA, { ...dana, ...change })
    const { json } = await slash(world, text)
    expect(json).toMatchObject({ response_type: 'ephemeral', text: expect.stringMatching(words) })
    expect(phase()).toBe('progressing')
  })

  it('of who started the rollout does not approve it where duties are separate; that of another counts once', async () => {
    const steps = [{ weight: 10, for: '2m', approval: { quorum: 2 } }]
    const asking = rollout({
      startedAt: new Date(START - 60_000).toISOString(),
      phase: 'awaiting-approval',
      steps,
      separateDuties: true,
      actor: { kind: 'person', id: DANA, name: 'Dana' },
    })
    world.people.set(DANA, { ...dana, roles: ['Mesh.Approver'] })
    world.store.change('service', 'shop/web', (service) => ({ ...service, rollouts: [asking] }))
    const own = await slash(world, 'approve web')
    expect(own.json).toMatchObject({
      response_type: 'ephemeral',
      text: expect.stringContaining('may not approve its steps'),
    })
    const rollouts = [{ ...asking, actor: { kind: 'person', id: 'someone', name: 'Eve' } as const }]
    world.store.change('service', 'shop/web', (service) => ({ ...service, rollouts }))
    for (const words of ['approve web fine', 'approve web once more']) {
      const { json } = await slash(world, words)
      expect(json.text).toContain('approved the step, 1 more needed')
    }
    expect(world.store.get('service', 'shop/web').rollouts[0]).toMatchObject({
      phase: 'awaiting-approval',
      approvals: [{ id: DANA }],
    })
  })

  it('of a Slack user for whom two teams name two people is that of a stranger', async () => {
    const slackUsers = { [SLACK_USER]: '33333333-0000-4000-8000-000000000002' }
    world.store.put(teamDocument('other', { chat: { slackUsers } }))
    expect((await slash(world, 'abort web')).json.text).toContain('do not know who you are')
  })

  it('leaves a rollout alone that began after it was asked', async () => {
    const startedAt = new Date(START + 1000).toISOString()
    world.store.change('service', 'shop/web', (service) => ({ ...service, rollouts: [rollout({ startedAt })] }))
    expect((await slash(world, 'abort web')).json.text).toContain('began after this was asked')
    expect(phase()).toBe('progressing')
  })

  it('asks which service is meant when several have the name', async () => {
    world.store.put({ ...world.store.get('service', 'shop/web'), namespace: 'other', rollouts: [] })
    expect((await slash(world, 'status web')).json.text).toContain('other/web, shop/web. Say which')
  })

  it('is answered in what a chat can show, however much there is to tell', async () => {
    const targets = Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`cluster-${at}`, { stable: 'v1' }]))
    world.store.change('service', 'shop/web', (service) => ({ ...service, targets }))
    const { json } = await slash(world, 'status web')
    expect(json.text).toContain('v1 on cluster-9,')
    expect(json.text).toMatch(/…$/)
    expect(json.text.length).toBeLessThan(5000)
  })

  it('starts a rotation', async () => {
    expect((await slash(world, 'rotate web-tls key seen')).json.text).toBe(
      'rotate, asked for by Dana &lt;!channel&gt; \u200b*D\u200b*. Certificate web-tls is being rotated.',
    )
    expect(world.seen.rotated).toEqual(['web-tls key seen'])
  })
})

describe('a command that takes long', () => {
  it('is answered in time, goes on, and the rest is sent to response_url once', async () => {
    world.clock.onSleep = () => undefined
    const answer = await slash(world, 'abort web')
    expect(answer.json).toMatchObject({ response_type: 'ephemeral', text: expect.stringContaining('Working on it') })
    await expect.poll(() => world.seen.sent).toHaveLength(1)
    expect(world.seen.sent).toMatchObject([
      { kind: 'slack-response', url: RESPONSE_URL, body: { text: expect.stringContaining('rolling-back') } },
    ])
    await expect.poll(async () => (await commands())[0]?.replyTo).toEqual({ kind: 'none' })
    const [command] = await commands()
    await carryOutCommand(world.deps, command?.name ?? '', { isLate: () => true })
    expect(world.seen.sent).toHaveLength(1)
  })

  it('sends nothing to an address that is not of Slack', async () => {
    world.clock.onSleep = () => undefined
    const response_url = 'https://hooks.slack.com.evil.example/commands/1'
    await slash(world, 'abort web', { response_url })
    await expect.poll(phase).toBe('rolling-back')
    expect(world.seen.sent).toEqual([])
    expect(JSON.stringify(await commands())).not.toContain('evil')
  })

  it('is put off while people cannot be looked up, and done when they can', async () => {
    const { directory } = world.deps
    const away = { person: () => Promise.reject(new PortError('unavailable', 'Microsoft Graph', 'gone')) }
    Object.assign(world.deps, { directory: away })
    expect((await slash(world, 'abort web')).json.text).toContain('Working on it')
    const [waiting] = await commands()
    expect(waiting).toMatchObject({ state: 'waiting', attempts: 1 })
    expect(waiting?.outbox.at(-1)).toMatchObject({ kind: 'work', queue: 'urgent', notBefore: waiting?.dueAt })
    Object.assign(world.deps, { directory })
    await carryOutCommand(world.deps, waiting?.name ?? '', { isLate: () => true })
    expect(phase()).toBe('rolling-back')
    expect(world.seen.sent).toHaveLength(1)
  })

  it('is given up after ten minutes, and says so', async () => {
    const away = { person: () => Promise.reject(new PortError('unavailable', 'Microsoft Graph', 'gone')) }
    Object.assign(world.deps, { directory: away })
    await slash(world, 'abort web')
    world.clock.time += 10 * 60_000
    const [waiting] = await commands()
    await carryOutCommand(world.deps, waiting?.name ?? '', { isLate: () => true })
    expect(await commands()).toMatchObject([{ state: 'done', answer: { text: expect.stringContaining('given up') } }])
    expect(phase()).toBe('progressing')
  })

  it('whose answer could not be sent is owed, and sent by whoever comes by later', async () => {
    const { messenger } = world.deps
    Object.assign(world.deps, {
      messenger: { send: () => Promise.reject(new PortError('unavailable', 'Slack', 'gone')) },
    })
    await press(world, 'pause', ID)
    const [owing] = await commands()
    expect(owing).toMatchObject({ state: 'done', owed: true })
    Object.assign(world.deps, { messenger })
    await carryOutCommand(world.deps, owing?.name ?? '', { isLate: () => true })
    expect(world.seen.sent).toEqual([])
    world.clock.time += 15_000
    await carryOutCommand(world.deps, owing?.name ?? '', { isLate: () => true })
    expect(world.seen.sent).toHaveLength(1)
  })
})

describe('a command that is slow to be stored', () => {
  it('is answered in time, and done', async () => {
    let store: () => void = () => undefined
    world.store.beforeWrite = () => new Promise<void>((resolve) => (store = resolve))
    world.clock.onSleep = () => undefined
    expect((await slash(world, 'abort web')).json.text).toContain('Working on it')
    expect(await commands()).toEqual([])
    world.store.beforeWrite = () => undefined
    store()
    await expect.poll(phase).toBe('rolling-back')
    await expect.poll(() => world.seen.sent).toHaveLength(1)
  })

  it('and then is not, is told so where it asked', async () => {
    world.store.beforeWrite = () => Promise.resolve().then(() => sleepless())
    const sleepless = async () => {
      for (let turn = 0; turn < 50; turn += 1) await Promise.resolve()
      throw new PortError('unavailable', 'Cosmos DB', 'timeout')
    }
    world.clock.onSleep = () => undefined
    expect((await slash(world, 'abort web')).json.text).toContain('Working on it')
    await expect.poll(() => world.seen.sent).toHaveLength(1)
    expect(world.seen.sent).toMatchObject([
      { url: RESPONSE_URL, body: { text: expect.stringContaining('I cannot tell whether I took this in') } },
    ])
  })
})

describe('a button in Slack', () => {
  it('does what it says; the answer goes to response_url', async () => {
    const answer = await press(world, 'abort', ID)
    expect(answer).toMatchObject({ status: 200, text: '' })
    expect(phase()).toBe('rolling-back')
    expect(world.seen.sent).toMatchObject([{ kind: 'slack-response', url: RESPONSE_URL }])
  })

  it('that approves is about the step of its message: late, it changes nothing and says so', async () => {
    const approver: Caller = { ...dana, roles: ['Mesh.Approver'] }
    const waiting = rollout({ phase: 'awaiting-approval', step: 1, startedAt: new Date(START - 60_000).toISOString() })
    world.store.change('service', 'shop/web', (service) => ({ ...service, rollouts: [waiting] }))
    world.people.set(DANA, approver)
    await press(world, 'approve', `${ID} wave 1 step 1`, '1.2.late')
    await press(world, 'reject', `${ID} wave 1 step 1`, '1.2.later')
    expect(world.store.get('service', 'shop/web').rollouts).toEqual([waiting])
    expect(JSON.stringify(world.seen.sent)).toContain('cannot approve step 1')
    await press(world, 'approve', `${ID} wave 1 step 2`)
    expect(phase()).toBe('progressing')
  })

  it('that is a link, or of another app, asks for nothing', async () => {
    const payload = {
      type: 'block_actions',
      trigger_id: 't',
      user: { id: SLACK_USER },
      actions: [{ action_id: 'open' }],
    }
    for (const body of [payload, { type: 'view_submission' }]) {
      const raw = new URLSearchParams({ payload: JSON.stringify(body) }).toString()
      expect((await signed(world, '/hooks/slack/actions', raw)).status).toBe(200)
    }
    expect(await commands()).toEqual([])
  })
})

describe('a call that proves nothing', () => {
  it('is refused before it is looked into, and leaves nothing behind', async () => {
    const forged = await signed(world, '/hooks/slack/commands', 'text=abort+web&user_id=U2CERLKJA', 'another-secret')
    expect(forged).toMatchObject({ status: 401, json: { code: 'Unauthenticated' } })
    expect(forged.json.detail).toBe('The request carries no proof that is taken here.')
    world.clock.time += 301_000
    expect((await slash(world, 'abort web')).status).toBe(401)
    expect(await commands()).toEqual([])
  })

  it('is told apart from one of a hook that is not set up in the log only, once', async () => {
    Object.assign(world.deps, { hooks: { slack: [], teams: [], alerts: [] } })
    for (let call = 0; call < 3; call += 1) expect((await slash(world, 'status web')).status).toBe(401)
    expect(world.seen.logged.filter((line) => line.includes('hook.not-set-up'))).toHaveLength(1)
  })

  it('but asks for our certificate is answered', async () => {
    const raw = 'ssl_check=1&token=x&text=abort+web&user_id=U2CERLKJA'
    expect(await world.call('POST', '/hooks/slack/commands', { token: null, raw })).toMatchObject({
      status: 200,
      text: '',
    })
    expect(await commands()).toEqual([])
  })

  it('of more than 256 KiB is refused', async () => {
    expect((await signed(world, '/hooks/slack/commands', 'x'.repeat(256 * 1024 + 1))).status).toBe(413)
  })
})

describe('a mention in Teams', () => {
  it('is done as the person who wrote it', async () => {
    const { json } = await mention(world, 'abort shop/web too many errors')
    expect(json).toMatchObject({ type: 'message', text: expect.stringContaining('rolling-back') })
    expect(json.text).toContain('Dana &lt;!channel&gt; \\*D\\* aborted')
    expect(phase()).toBe('rolling-back')
  })

  it('that comes again is answered as before, and one of long ago is refused', async () => {
    const first = await mention(world, 'pause web')
    expect((await mention(world, 'pause web')).json).toEqual(first.json)
    expect(await commands()).toHaveLength(1)
    const timestamp = new Date(START - 3_600_001).toISOString()
    expect((await mention(world, 'abort web', { timestamp })).status).toBe(401)
  })

  it('of somebody whom Entra does not know is read, and nothing more', async () => {
    world.people.clear()
    expect((await mention(world, 'abort web')).json.text).toContain('do not know who you are')
    expect((await mention(world, 'status web')).json.text).toContain('progressing')
  })

  it('is answered in time', async () => {
    world.clock.onSleep = () => undefined
    expect((await mention(world, 'abort web')).json.text).toContain('Working on it')
    await expect.poll(phase).toBe('rolling-back')
  })

  it('is told when it could not be taken in', async () => {
    world.store.beforeWrite = () => {
      throw new PortError('unavailable', 'Cosmos DB', 'timeout')
    }
    const answer = await mention(world, 'abort web')
    expect(answer).toMatchObject({
      status: 200,
      json: { text: expect.stringContaining('I cannot tell whether I took this in') },
    })
  })
})
