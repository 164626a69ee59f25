import { describe, expect, it } from 'vitest'
import { brokenRails, policyGuardRails } from '../../../../src/model/policy/guard-rails.ts'
import { type Policy, policySpec } from '../../../../src/model/policy/policy.ts'

const issuers = [{ issuer: 'https://id.example', jwksUri: 'https://id.example/keys', audiences: ['web'] }]
const ALLOW = '/security/authorization/allow'
const bySome = { name: 'a', serviceAccounts: ['shop/cart'] }
const fault = { abort: { status: 503, percent: 5 } }
const route = (more: object) => ({ routes: [{ name: 'api', match: [{ path: { prefix: '/api' } }], ...more }] })

const ROWS: readonly (readonly [rails: object, policy: object, pointers: readonly string[]])[] = [
  [{ mtls: 'strict' }, { security: { mtls: 'strict' } }, []],
  [{ mtls: 'strict' }, { security: { mtls: 'permissive' } }, ['/security/mtls']],
  [{ mtls: 'strict' }, {}, ['/security/mtls']],
  [{ mtls: 'permissive' }, { security: { mtls: 'strict' } }, []],
  [{ mtls: 'permissive' }, { security: { mtls: 'disabled' } }, ['/security/mtls']],
  [{ authorization: 'required' }, { security: { authorization: { allow: [] } } }, []],
  [{ authorization: 'required' }, { security: { authorization: { deny: [] } } }, ['/security/authorization/allow']],
  [{ authorization: 'required' }, { security: { authorization: { allow: [{ name: 'a' }] } } }, [`${ALLOW}/0`]],
  [
    { authorization: 'required' },
    { security: { authorization: { allow: [bySome, { name: 'b', methods: ['GET'], paths: ['/*'] }] } } },
    [`${ALLOW}/1`],
  ],
  [
    { authorization: 'required' },
    {
      security: {
        authentication: { issuers },
        authorization: { allow: [bySome, { name: 'b', namespaces: ['a'] }, { name: 'c', claims: { roles: ['a'] } }] },
      },
    },
    [],
  ],
  [{ authentication: 'required' }, { security: { authentication: { issuers } } }, []],
  [
    { authentication: 'required' },
    { security: { authentication: { issuers, required: false } } },
    ['/security/authentication'],
  ],
  [{ authentication: 'required' }, {}, ['/security/authentication']],
  [{ egress: 'deny' }, { egress: { unlisted: 'deny' } }, []],
  [{ egress: 'deny' }, { egress: { unlisted: 'allow' } }, ['/egress/unlisted']],
  [{ egress: 'deny' }, {}, ['/egress/unlisted']],
  [{ maxTimeout: '1m' }, { traffic: { timeout: '60s' } }, []],
  [{ maxTimeout: '1m' }, { traffic: { timeout: '61s' } }, ['/traffic/timeout']],
  [{ maxTimeout: '1m' }, {}, ['/traffic/timeout']],
  [{ maxTimeout: '1m' }, { traffic: { timeout: '5s', ...route({ timeout: '2m' }) } }, ['/traffic/routes/0/timeout']],
  [{ noFaults: true }, { traffic: { timeout: '5s' } }, []],
  [{ noFaults: true }, { traffic: { fault, ...route({ fault }) } }, ['/traffic/fault', '/traffic/routes/0/fault']],
  [{ tlsExposure: true }, {}, []],
  [
    { tlsExposure: true },
    { exposure: [{ host: 'a.example.com', tls: { certificate: 'a' } }, { host: 'b.example.com' }] },
    ['/exposure/1/tls'],
  ],
]

describe('guard rails of a policy', () => {
  it.each(ROWS)('%j with %j breaks at %j', (rails, policy, pointers) => {
    const broken = brokenRails(policySpec.parse(policy), policyGuardRails.parse(rails))
    expect(broken.map(({ pointer }) => pointer)).toEqual(pointers)
  })

  it('say what they want and what is there', () => {
    const policy: Policy = { security: { mtls: 'permissive' }, traffic: { timeout: '2m' } }
    expect(brokenRails(policy, { mtls: 'strict', maxTimeout: '30s' })).toEqual([
      { rail: 'mtls', pointer: '/security/mtls', reason: 'must be strict, and is permissive' },
      { rail: 'maxTimeout', pointer: '/traffic/timeout', reason: 'must be 30s at most, and is 2m' },
    ])
  })

  it('are every one of the schema in the rows above', () => {
    const tried = new Set(ROWS.flatMap(([rails]) => Object.keys(rails)))
    expect([...tried].sort()).toEqual(Object.keys(policyGuardRails.shape).sort())
  })
})
