import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { FEATURES, featureAt, featuresIn } from '../../../src/mesh/features.ts'
import { policySpec } from '../../../src/model/policy/policy.ts'

interface Shape {
  readonly properties?: Readonly<Record<string, Shape>>
  readonly additionalProperties?: Shape | boolean
  readonly items?: Shape
  readonly anyOf?: readonly Shape[]
  readonly oneOf?: readonly Shape[]
  readonly enum?: readonly unknown[]
  readonly $ref?: string
}

/** Paths of all the fields that a schema can hold, without indexes and names that users choose. */
function pathsOf(shape: Shape, path: string): readonly string[] {
  const choices = shape.anyOf ?? shape.oneOf
  if (choices) return choices.flatMap((choice) => pathsOf(choice, path))
  if (shape.properties) {
    return Object.entries(shape.properties).flatMap(([name, field]) =>
      pathsOf(field, path === '' ? name : `${path}.${name}`),
    )
  }
  if (typeof shape.additionalProperties === 'object') return pathsOf(shape.additionalProperties, path)
  if (shape.items) return pathsOf(shape.items, path)
  return shape.enum ? shape.enum.map((value) => `${path}.${String(value)}`) : [path]
}

const PATHS = [...new Set(pathsOf(z.toJSONSchema(policySpec, { io: 'input' }) as Shape, ''))]

describe('features', () => {
  it.each(PATHS)('stand for the field %s', (path) => {
    expect(featureAt(path)).toBeDefined()
  })

  it('are each asked for by a field of the policy, or by the service or rollout itself', () => {
    const byPolicy = new Set(PATHS.map(featureAt))
    const others = FEATURES.filter((feature) => !byPolicy.has(feature))
    expect(others).toEqual([
      'versions',
      'ports.http',
      'ports.http2',
      'ports.grpc',
      'ports.tcp',
      'hosts',
      'security.authentication.required.false',
      'rollouts.canary',
      'rollouts.match',
      'rollouts.mirror',
      'rollouts.affinity',
      'gates.errors',
      'gates.latency',
    ])
  })

  it('are found with a pointer to the field, whatever a user calls a header or claim', () => {
    const used = featuresIn({
      traffic: { routes: [{ name: 'a', match: [{ headers: { 'x-a/b': { prefix: 'b' } } }], timeout: '1s' }] },
      security: {
        mtls: 'strict',
        authentication: { issuers: [{ entra: { tenant: 't', audiences: ['a'] } }], required: false },
        authorization: { allow: [], deny: [{ name: 'all', claims: { roles: ['x'] } }] },
      },
    })
    expect(used.map(({ feature, pointer }) => `${feature} ${pointer}`)).toEqual([
      'traffic.routes /traffic/routes/0/name',
      'traffic.routes.match.headers.prefix /traffic/routes/0/match/0/headers/x-a~1b/prefix',
      'traffic.routes.timeout /traffic/routes/0/timeout',
      'security.mtls.strict /security/mtls',
      'security.authentication /security/authentication/issuers/0/entra/tenant',
      'security.authentication /security/authentication/issuers/0/entra/audiences',
      'security.authentication.required.false /security/authentication/required',
      'security.authorization.allow /security/authorization/allow',
      'security.authorization.deny /security/authorization/deny/0/name',
      'security.authorization.deny /security/authorization/deny/0/claims',
    ])
  })
})
