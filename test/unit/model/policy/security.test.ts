import { describe, expect, it } from 'vitest'
import { securitySpec } from '../../../../src/model/policy/security.ts'

const issuer = { issuer: 'https://id.example.com', jwksUri: 'https://id.example.com/keys', audiences: ['web'] }
const allow = (rule: object) => ({
  authentication: { issuers: [issuer] },
  authorization: { allow: [{ name: 'a', ...rule }] },
})
const RULE = 'authorization.allow.0'

describe('the schema of security', () => {
  it.each([
    [allow({ claims: {} }), `${RULE}.claims`],
    [allow({ claims: { roles: ['*'] } }), `${RULE}.claims.roles.0`],
    [allow({ claims: { roles: ['Read', 'Read*'] } }), `${RULE}.claims.roles.1`],
    [allow({ claims: { roles: ['*.Read'] } }), `${RULE}.claims.roles.0`],
    [allow({ paths: ['/a?b=1'] }), `${RULE}.paths.0`],
    [allow({ paths: ['/a#b'] }), `${RULE}.paths.0`],
    [allow({ paths: ['/a', '/a//b'] }), `${RULE}.paths.1`],
    [allow({ paths: ['/a/./b'] }), `${RULE}.paths.0`],
    [allow({ paths: ['/a/..'] }), `${RULE}.paths.0`],
    [{ authentication: { issuers: [{ ...issuer, issuer: '*' }] } }, 'authentication.issuers.0.issuer'],
  ])('refuses %j at %s', (spec, path) => {
    const parsed = securitySpec.safeParse(spec)
    expect(parsed.error?.issues.map((issue) => issue.path.join('.'))).toEqual([path])
  })

  it.each([allow({ claims: { roles: ['a*b'] } }), allow({ paths: ['/', '/*', '/.well-known/*', '/a/b..', '/a...'] })])(
    'takes %j',
    (spec) => {
      expect(securitySpec.safeParse(spec).error?.issues).toBeUndefined()
    },
  )
})
