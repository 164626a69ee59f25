import { describe, expect, it } from 'vitest'
import { istio } from '../../../../src/mesh/istio/istio.ts'
import { inputOf, specOf } from './specs.ts'

const issuers = [{ issuer: 'https://id.example.com', jwksUri: 'https://id.example.com/keys', audiences: ['web'] }]

/** What is rendered for one rule that denies by these claims. */
function render(claims: object, version?: string) {
  const authorization = { deny: [{ name: 'a', claims }] }
  const spec = specOf({
    workload: { labels: { app: 'web' } },
    security: { authentication: { issuers, required: false }, authorization },
  })
  return istio.render(inputOf({ spec, mesh: { provider: 'istio', ...(version === undefined ? {} : { version }) } }))
}

describe('scopes of Entra ID, one text with spaces', () => {
  it.each(['1.28.0', '1.28.9', '1.30.2', '1.31.0-rc.0'])('are read one by one on Istio %s', (version) => {
    const result = render({ scp: ['Guest'] }, version)
    if (!result.ok) throw new Error(result.failure.detail)
    const authentication = result.steps.find(({ object }) => object.kind === 'RequestAuthentication')
    expect(authentication?.object.spec?.jwtRules).toEqual([{ ...issuers[0], spaceDelimitedClaims: ['scp'] }])
  })

  it.each([undefined, '1.27.9', '1.26'])(
    'are refused in rules on Istio %s, which would not find one of two',
    (version) => {
      expect(render({ scp: ['Guest'] }, version)).toMatchObject({
        ok: false,
        failure: { errors: [{ pointer: '/security/authorization/deny/0/claims/scp' }] },
      })
    },
  )

  it('change nothing where no rule asks for them', () => {
    const result = render({ roles: ['Guest'] }, '1.30.2')
    if (!result.ok) throw new Error(result.failure.detail)
    const authentication = result.steps.find(({ object }) => object.kind === 'RequestAuthentication')
    expect(authentication?.object.spec?.jwtRules).toEqual(issuers)
  })
})
