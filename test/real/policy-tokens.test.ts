import type { JWTPayload } from 'jose'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeReal } from './parts/describe-real.ts'
import { object } from './parts/mesh-objects.ts'
import { type PolicyShop, startPolicyShop } from './parts/policy-shop.ts'
import { scratchFolder } from './parts/scratch.ts'
import { startTokenIssuers, type TokenIssuers } from './parts/token-issuers.ts'
import type { Answer } from './parts/traffic.ts'
import { type Kind, underPolicies } from './parts/under-policies.ts'

const TENANT = '9c5f3d2a-1b4e-4c6d-8e7f-0a1b2c3d4e5f'
const API = '1f0e2d3c-4b5a-4697-8879-6a5b4c3d2e1f'
const OWN = 'https://id.example.com'
const ENTRA = `https://login.microsoftonline.com/${TENANT}/v2.0`
/** Other issuers that the namespace takes tokens of. The name of one begins with the service's own. */
const OTHERS = [`${OWN}/partners`, 'https://elsewhere.example.com']

const issuers = [
  { issuer: OWN, jwksUri: `${OWN}/keys`, audiences: ['web', 'shop'] },
  { entra: { tenant: TENANT, audiences: [API], forwardToken: true } },
]

/** Tokens of real keys, which istiod fetches by TLS: each policy goes in through Meshwright, and is taken off again, under load. */
describeReal('whose tokens a service takes', 'mesh', (parts) => {
  const dir = scratchFolder()
  let shop: PolicyShop
  let outside: TokenIssuers

  beforeAll(async () => {
    outside = await startTokenIssuers({ parts, dir: `${dir}/issuers` })
    const mesh = { clients: [{ name: 'cart' }], issuers: outside.certificate }
    shop = await startPolicyShop({ parts, dir, mesh, istioVersion: '1.30.2' })
  })
  afterAll(async () => {
    await shop?.stop()
    await outside?.stop()
  })

  const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
  const own = (claims: JWTPayload = {}) => outside.token({ iss: OWN, sub: 'ada', aud: 'web', ...claims })
  const entra = (claims: JWTPayload = {}) => outside.token({ iss: ENTRA, sub: 'ada', aud: API, ...claims })

  function calls(token: string | undefined, gets: readonly unknown[], method = 'GET', name = 'client'): Kind {
    const headers = token === undefined ? {} : bearer(token)
    return { client: shop.mesh.client(name), headers, target: { method, path: '/items/7' }, gets }
  }

  it('are those of its issuers, for its audiences, and requests without one pass where they may', async () => {
    const tell = ({ status, seen }: Answer) => `${status} ${seen?.token ?? '-'}`
    const stands = [
      { policy: { security: { authentication: { issuers } } } },
      { policy: { security: { authentication: { issuers, required: false } } } },
    ]
    const kinds = {
      none: calls(undefined, ['200 false', '403 -', '200 false']),
      'of the issuer': calls(await own(), ['200 true', '200 false', '200 false']),
      'for one of two audiences': calls(await own({ aud: ['else', 'shop'] }), ['200 true', '200 false', '200 false']),
      'of Entra ID, given on': calls(await entra(), ['200 true', '200 true', '200 true']),
      'for another audience': calls(await own({ aud: API }), ['200 true', '403 -', '403 -']),
      'of another tenant': calls(await entra({ iss: ENTRA.replace('9c', '8c') }), ['200 true', '401 -', '401 -']),
      'by another key': calls(await outside.forged({ iss: OWN, sub: 'eve', aud: 'web' }), [
        '200 true',
        '401 -',
        '401 -',
      ]),
      expired: calls(await own({ exp: Math.floor(Date.now() / 1000) - 600 }), ['200 true', '401 -', '401 -']),
      nonsense: calls('nonsense', ['200 true', '401 -', '401 -']),
    }
    const told = Object.fromEntries(Object.entries(kinds).map(([name, kind]) => [name, { ...kind, tell }]))
    await underPolicies(shop, 'tokens', stands, told)
    expect([...outside.asked].sort()).toEqual([
      'id.example.com/keys',
      `login.microsoftonline.com/${TENANT}/discovery/v2.0/keys`,
    ])
  })

  it('let in by their claims: texts, lists, and words of a scope', async () => {
    const authorization = {
      allow: [
        { name: 'readers', methods: ['GET'], claims: { roles: ['Items.Read', 'Items.Write'] } },
        { name: 'writers', methods: ['PUT'], claims: { roles: ['Items.Write'], dept: ['shop'] } },
        { name: 'people', methods: ['POST'], claims: { scp: ['Items.Add'] } },
        { name: 'cart', serviceAccounts: ['shop/cart'] },
      ],
      deny: [{ name: 'guests', claims: { scp: ['Guest'] } }],
    }
    const policy = { security: { authentication: { issuers, required: false }, authorization } }
    await underPolicies(shop, 'claims', [{ policy }], {
      'a list of roles reads': calls(await entra({ roles: ['Else', 'Items.Read'] }), [200, 200]),
      'one role reads': calls(await own({ roles: 'Items.Write' }), [200, 200]),
      'another role does not': calls(await own({ roles: ['Items.Reader'] }), [200, 403]),
      'reading is not writing': calls(await entra({ roles: ['Items.Read'], dept: 'shop' }), [200, 403], 'PUT'),
      'both claims write': calls(await entra({ roles: ['Items.Write'], dept: 'shop' }), [200, 200], 'PUT'),
      'one of two claims does not': calls(await entra({ roles: ['Items.Write'] }), [200, 403], 'PUT'),
      'one word of a scope adds': calls(await entra({ scp: 'Items.List Items.Add' }), [200, 200], 'POST'),
      'half a word does not': calls(await entra({ scp: 'Items.Added' }), [200, 403], 'POST'),
      'a word of a scope denies': calls(await entra({ scp: 'Guest Items.Add' }), [200, 403], 'POST'),
      'no token is nobody': calls(undefined, [200, 403]),
      'but the cart': calls(undefined, [200, 200], 'PUT', 'cart'),
    })
  })

  it('are not those of other issuers that the namespace takes, whatever they are called and claim', async () => {
    const jwtRules = OTHERS.map((issuer) => ({ issuer, jwks: outside.jwks }))
    const theirs = object('security.istio.io/v1', 'RequestAuthentication', 'shop', 'theirs', { spec: { jwtRules } })
    await shop.api.admin.apply([theirs])
    const roles = ['Items.Read']
    const authorization = { allow: [{ name: 'readers', claims: { roles } }] }
    const stands = [
      { policy: { security: { authentication: { issuers } } } },
      { policy: { security: { authentication: { issuers, required: false }, authorization } } },
    ]
    const [like = '', other = ''] = await Promise.all(
      OTHERS.map((iss) => outside.token({ iss, sub: 'eve', aud: 'web', roles })),
    )
    await underPolicies(shop, 'other issuers', stands, {
      'of an issuer with a like name': calls(like, [200, 403, 403]),
      'of another issuer': calls(other, [200, 403, 403]),
      'of the issuer': calls(await own({ roles }), [401, 200, 200]),
      none: calls(undefined, [200, 403, 403]),
    })
    await shop.api.admin.remove(theirs)
  })

  it('are asked for until the service is gone, and nothing of it is left', async () => {
    const authorization = {
      allow: [{ name: 'readers', claims: { roles: ['Items.Read'] } }],
      deny: [{ name: 'cart', serviceAccounts: ['shop/cart'] }],
    }
    const policy = { security: { mtls: 'strict', authentication: { issuers }, authorization } }
    const token = await entra({ roles: ['Items.Read'] })
    const look = async () => expect((await shop.left()).length).toBe(7)
    const kinds = {
      'who may': calls(token, [200, 200]),
      'who has no role': calls(await entra(), [200, 403]),
      'who is denied': calls(token, [200, 403], 'GET', 'cart'),
    }
    await underPolicies(shop, 'removal', [{ policy, look }], kinds, shop.remove)
    expect(await shop.left()).toEqual([])
  })
})
