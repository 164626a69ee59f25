import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { PortError } from '../../../src/ports/port-error.ts'
import { createWorld, ISSUER, KEY_ID, publicJwk, SHOP_GROUP, START, shopWorld, tokenOf, WEB } from './fixture.ts'

const PATH = '/api/v1/clusters'
const SECOND = START / 1000

async function statusOf(token: string | null): Promise<number> {
  const world = createWorld()
  const answer = await world.call('GET', PATH, { token })
  expect(world.store.writes).toBe(0)
  return answer.status
}

function unsigned(payload: object, header: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part(header)}.${part(payload)}.`
}

describe('tokens that are taken', () => {
  it.each([
    ['v2, signed ES256', {}],
    ['v1 of the same tenant', { iss: `https://sts.example/99999999-0000-4000-8000-000000000001/`, ver: '1.0' }],
    ['several audiences', { aud: ['other', 'api://meshwright'] }],
    ['expired within the leeway', { exp: SECOND - 59 }],
    ['valid in a minute', { nbf: SECOND + 59 }],
  ])('%s', async (_, claims) => {
    expect(await statusOf(await tokenOf(claims))).toBe(200)
  })
})

describe('tokens that are refused', () => {
  it.each([
    ['expired', { exp: SECOND - 61 }],
    ['not valid yet', { nbf: SECOND + 61 }],
    ['without an end', { exp: undefined }],
    ['of a foreign issuer', { iss: 'https://login.example/other/v2.0' }],
    ['for a foreign audience', { aud: 'api://other' }],
    ['of a foreign tenant', { tid: '99999999-0000-4000-8000-000000000002' }],
    ['without a tenant', { tid: undefined }],
    ['without an object id', { oid: undefined }],
    ['with an object id that is no text', { oid: 7 }],
  ])('%s', async (_, claims) => {
    expect(await statusOf(await tokenOf(claims))).toBe(401)
  })

  it('alg none', async () => {
    const payload = {
      iss: ISSUER,
      aud: 'api://meshwright',
      exp: SECOND + 60,
      tid: 't',
      oid: 'o',
      roles: ['Mesh.Admin'],
    }
    expect(await statusOf(unsigned(payload, { alg: 'none' }))).toBe(401)
    expect(await statusOf(`${unsigned(payload, { alg: 'none' })}AA`)).toBe(401)
  })

  it('signed symmetrically with the public key', async () => {
    const secret = new TextEncoder().encode(JSON.stringify(publicJwk))
    const token = await new SignJWT({ roles: ['Mesh.Admin'] })
      .setProtectedHeader({ alg: 'HS256', kid: KEY_ID })
      .sign(secret)
    expect(await statusOf(token)).toBe(401)
  })

  it('signed by another key of the same name, or with the key in its header', async () => {
    const foreign = await generateKeyPair('ES256', { extractable: true })
    const jwk = await exportJWK(foreign.publicKey)
    const payload = { iss: ISSUER, aud: 'api://meshwright', exp: SECOND + 60, tid: 't', oid: 'o' }
    const token = await new SignJWT(payload)
      .setProtectedHeader({ alg: 'ES256', kid: KEY_ID, jwk })
      .sign(foreign.privateKey)
    expect(await statusOf(token)).toBe(401)
  })

  it('of an unknown key', async () => {
    expect(await statusOf(await tokenOf({}, { kid: 'k2' }))).toBe(401)
  })

  it('changed after it was signed', async () => {
    const [head, , signature] = (await tokenOf()).split('.')
    const [, body] = (await tokenOf({ roles: ['Mesh.Admin'], name: 'Mallory' })).split('.')
    expect(await statusOf(`${head}.${body}.${signature}`)).toBe(401)
  })

  it.each(['', 'x', 'a.b', 'a.b.c', `${'a'.repeat(20_000)}.b.c`])('no token at all: %.10s', async (token) => {
    expect(await statusOf(token)).toBe(401)
  })

  it('says nothing of the reason to the caller, and says it to the log', async () => {
    const world = createWorld()
    const expired = await world.call('GET', PATH, { token: await tokenOf({ exp: SECOND - 61 }) })
    const foreign = await world.call('GET', PATH, { token: await tokenOf({ aud: 'api://other' }) })
    const { requestId: _a, ...a } = expired.json
    const { requestId: _b, ...b } = foreign.json
    expect(a).toEqual(b)
    expect(expired.headers['www-authenticate']).toBe('Bearer realm="meshwright", error="invalid_token"')
    expect(world.seen.logged.join()).toContain('ERR_JWT_EXPIRED')
    const none = await world.call('GET', PATH, { token: null })
    expect(none.headers['www-authenticate']).toBe('Bearer realm="meshwright"')
  })
})

it('answers 503 while the keys of the issuer cannot be had, and 500 with no inner word on a defect', async () => {
  const world = createWorld()
  const failing = async (error: Error) => {
    const deps = { ...world.deps, tokenKeys: () => Promise.reject(error) }
    const { handle } = await import('../../../src/http/handle.ts')
    const headers = { authorization: `Bearer ${await tokenOf()}` }
    const request = {
      method: 'GET',
      path: PATH,
      query: new URLSearchParams(),
      headers,
      baseUrl: 'https://mesh.example',
    }
    return handle(deps, { ...request, body: async () => new Uint8Array() })
  }
  const away = await failing(new PortError('unavailable', 'Entra ID', 'connect ECONNREFUSED 10.0.0.1'))
  expect(away.status).toBe(503)
  expect(away.headers['retry-after']).toBe('2')
  expect(String(away.body)).not.toContain('10.0.0.1')
  const defect = await failing(new TypeError('secret detail'))
  expect(defect.status).toBe(500)
  expect(String(defect.body)).not.toContain('secret detail')
  expect(world.seen.logged.at(-1)).toMatch(/^error http\.failed/)
})

describe('roles', () => {
  const admin = ['Mesh.Admin'] as const
  it.each([
    ['GET', '/clusters', 'Mesh.Viewer', 200],
    ['GET', '/clusters', 'Mesh.Deployer', 200],
    ['PUT', '/clusters/east', 'Mesh.Deployer', 403],
    ['PUT', '/clusters/east', 'Mesh.Operator', 400],
    ['PUT', '/services/shop/web', 'Mesh.Operator', 403],
    ['PUT', '/services/shop/web', 'Mesh.Deployer', 400],
    ['POST', '/services/shop/web/rollouts', 'Mesh.Viewer', 403],
    ['POST', '/services/shop/web/approve', 'Mesh.Deployer', 403],
    ['POST', '/services/shop/web/abort', 'Mesh.Approver', 403],
    ['PUT', '/teams/shop', 'Mesh.Operator', 403],
    ['PUT', '/strategies/slow', 'Mesh.Deployer', 403],
    ['PUT', '/freezes/night', 'Mesh.Deployer', 403],
    ['PUT', '/freezes/night', 'Mesh.Approver', 400],
    ['PUT', '/freezes/night', 'Mesh.Operator', 400],
    ['GET', '/export', 'Mesh.Viewer', 403],
    ['GET', '/export', 'Mesh.Operator', 200],
    ['POST', '/import', 'Mesh.Operator', 403],
    ['POST', '/judge', 'Mesh.Viewer', 400],
    ['GET', '/audit', 'Mesh.Viewer', 403],
    ['GET', '/audit', 'Mesh.Deployer', 403],
    ['GET', '/audit', 'Mesh.Approver', 200],
    ['GET', '/audit', 'Mesh.Operator', 200],
  ] as const)('%s %s as %s is %i', async (method, path, role, status) => {
    const world = createWorld()
    const body = method === 'GET' ? {} : { raw: '' }
    const answer = await world.call(method, `/api/v1${path}`, { roles: [role], ...body })
    expect(answer.status).toBe(status)
    if (status === 403) expect(answer.json.detail).toMatch(/^Dana needs the role Mesh\.\w+/)
    expect(world.store.writes).toBe(0)
    if (status === 403)
      expect((await world.call(method, `/api/v1${path}`, { roles: admin, ...body })).status).not.toBe(403)
  })

  it('asks for a role even where every role may read, and counts no role of others', async () => {
    const world = createWorld()
    expect((await world.call('GET', PATH, { roles: [] })).status).toBe(403)
    expect((await world.call('GET', PATH, { claims: { roles: ['mesh.admin', 'Admin'] } })).status).toBe(403)
    expect((await world.call('GET', PATH, { claims: { roles: 'Mesh.Admin' } })).status).toBe(403)
  })
})

describe('teams', () => {
  const put = { body: { ...WEB, traffic: { timeout: '3s' } } }
  const deployer = ['Mesh.Deployer']

  it('lets in who is in a group of the team, in any case of the id', async () => {
    const world = shopWorld()
    const claims = { roles: deployer, groups: [SHOP_GROUP.toUpperCase()] }
    expect((await world.call('PUT', '/api/v1/services/shop/web', { ...put, claims })).status).toBe(200)
  })

  it("refuses another team's service by name of the team, and writes nothing", async () => {
    const world = shopWorld()
    const answer = await world.call('PUT', '/api/v1/services/shop/web', { ...put, claims: { roles: deployer } })
    expect(answer).toMatchObject({
      status: 403,
      json: { code: 'Forbidden', detail: 'Dana does not belong to team shop.' },
    })
    expect(world.store.writes).toBe(0)
  })

  it('explains that the token left the groups out', async () => {
    const world = shopWorld()
    const claims = { roles: deployer, groups: undefined, _claim_names: { groups: 'src1' } }
    const answer = await world.call('PUT', '/api/v1/services/shop/web', { ...put, claims })
    expect(answer.status).toBe(403)
    expect(answer.json.hint).toContain('names no groups')
  })

  it('knows an application by idtyp, or by its own id as subject, and only then by its application id', async () => {
    const world = shopWorld()
    const app = '33333333-0000-4000-8000-000000000001'
    world.store.change('team', 'shop', (team) => ({ ...team, spec: { ...team.spec, apps: [app] } }))
    const oid = '44444444-0000-4000-8000-000000000001'
    const status = async (claims: object) =>
      (await world.call('PUT', '/api/v1/services/shop/web', { ...put, claims: { roles: deployer, oid, ...claims } }))
        .status
    expect(await status({ azp: app, idtyp: 'app' })).toBe(200)
    expect(await status({ appid: app, sub: oid })).toBe(200)
    expect(await status({ azp: app })).toBe(403)
    expect(await status({ azp: app, sub: oid, idtyp: 'user' })).toBe(403)
  })

  it('keeps control characters of names out of messages', async () => {
    const world = shopWorld()
    const claims = { roles: deployer, name: 'Eve\r\nadmin\u202e' }
    const answer = await world.call('PUT', '/api/v1/services/shop/web', { ...put, claims })
    expect(answer.json.detail).toBe('Eveadmin does not belong to team shop.')
  })
})

describe('open paths', () => {
  it.each(['/healthz', '/readyz', '/openapi.json', '/docs', '/', '/api/v1/healthz', '/api/v1/readyz'])(
    '%s needs no token',
    async (path) => {
      expect((await createWorld().call('GET', path, { token: null })).status).toBe(200)
    },
  )

  it('hooks let nobody in who proves nothing, whatever is sent', async () => {
    for (const path of ['/hooks/teams', '/hooks/slack/commands', '/hooks/slack/actions']) {
      const answer = await createWorld().call('POST', path, { raw: 'x=1' })
      expect(answer).toMatchObject({ status: 401, json: { code: 'Unauthenticated' } })
    }
  })

  it('is not ready while the store does not answer', async () => {
    const world = createWorld()
    world.store.beforeRead = () => {
      throw new PortError('unavailable', 'Cosmos DB', 'timeout')
    }
    const answer = await world.call('GET', '/readyz', { token: null })
    expect(answer).toMatchObject({ status: 503, json: { code: 'Unavailable', detail: 'Cosmos DB does not answer.' } })
  })
})
