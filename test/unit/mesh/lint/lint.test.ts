import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LINT_RULES } from '../../../../src/mesh/lint/codes.ts'
import { isAsBad, worstOf } from '../../../../src/mesh/lint/finding.ts'
import { lint } from '../../../../src/mesh/lint/lint.ts'
import type { Seen } from '../../../../src/mesh/lint/subject.ts'
import { mergePolicies } from '../../../../src/model/policy/effective-policy.ts'
import { anyPolicy } from '../istio/any-policy.ts'
import { desiredOf, kubeService, namespace, pod, ROWS, seenOf } from './rows.ts'

/** What the plan finds by itself: its own tests show these. */
const OF_THE_PLAN = [
  'NotPlanned',
  'Rejected',
  'FieldConflict',
  'Denied',
  'KindMissing',
  'MeshRetires',
  'NamespaceMissing',
  'ServiceMissing',
  'PlainCallers',
  'PlainCallersUnknown',
  'PortMissing',
  'SelectorExcludes',
  'SelectorOverlap',
  'VersionWithoutEndpoints',
]

describe('lint', () => {
  it.each(ROWS)('$code: $what (found: $found)', ({ code, desired, seen, found, field }) => {
    const findings = lint(desired, seen).filter((one) => one.code === code)
    expect(findings).toHaveLength(found ? 1 : 0)
    if (found) expect(findings[0]).toMatchObject({ severity: LINT_RULES[code].severity, ...(field ? { field } : {}) })
    if (found && field === undefined) expect(findings[0]).not.toHaveProperty('field')
  })

  it('finds nothing where nothing is wrong', () => {
    expect(lint(desiredOf(), seenOf())).toEqual([])
  })

  it('has rows, found and not found, for every code that is its own', () => {
    for (const found of [true, false]) {
      const codes = ROWS.filter((row) => row.found === found).map(({ code }) => code)
      expect([...new Set([...codes, ...OF_THE_PLAN])].sort()).toEqual(Object.keys(LINT_RULES).sort())
    }
  })

  it('points at a rule that denies where it stands in the service, after those of shared policies', () => {
    const denying = (name: string, caller: string) => ({
      security: { authorization: { deny: [{ name, namespaces: [caller] }] } },
    })
    const own = { workload: { labels: { app: 'web' } }, ...denying('b', 'back') }
    const layers = [{ from: 'policy all', isShared: true as const, policy: denying('a', 'gone') }]
    expect(lint(desiredOf(own, {}, layers), seenOf())).toMatchObject([
      { code: 'CallerNamespaceMissing', message: expect.stringMatching(/^Rule a .*\(policy all\)/) },
      { code: 'CallerNamespaceMissing', field: '/security/authorization/deny/0/namespaces/0' },
    ])
  })

  it('points nowhere into the service for what a shared policy says, and names that', () => {
    const layer = { from: 'policy all', policy: desiredOf({ traffic: { routes: TWICE } }).spec }
    const [finding] = lint(desiredOf({}, {}, [{ ...layer, policy: { traffic: layer.policy.traffic } }]), seenOf())
    expect(finding).toMatchObject({ code: 'RouteNeverUsed', message: expect.stringContaining('(policy all)') })
    expect(finding).not.toHaveProperty('field')
  })
})

const TWICE = ['a', 'b'].map((name) => ({ name, match: [{ path: { prefix: '/' } }] }))

const labels = fc.dictionary(
  fc.constantFrom('app', 'version', 'istio-injection'),
  fc.constantFrom('web', 'v1', 'v2', 'enabled'),
)
const anySeen: fc.Arbitrary<Seen> = fc.record(
  {
    namespace: fc.option(labels.map(namespace), { nil: undefined }),
    kubeService: fc.option(
      fc
        .tuple(
          fc.array(
            fc.record(
              {
                name: fc.string(),
                port: fc.nat(100),
                targetPort: fc.oneof(fc.nat(), fc.string()),
                appProtocol: fc.string(),
              },
              { requiredKeys: [] },
            ),
          ),
          labels,
        )
        .map(([ports, selector]) => kubeService(ports, selector)),
      { nil: undefined },
    ),
    pods: fc.array(fc.tuple(labels, fc.boolean()).map(([own, proxy]) => pod('p', own, proxy))),
    namespaces: fc.array(fc.constantFrom('shop', 'front')),
    serviceAccounts: fc.array(fc.constantFrom('shop/web', 'front/bff')),
    rivals: fc.constant([]),
    unseen: fc.constant([]),
  },
  { requiredKeys: ['namespace', 'kubeService', 'rivals', 'unseen'] },
)

it('lint of any policy on any cluster never throws, and the same in gives the same out', () => {
  fc.assert(
    fc.property(anyPolicy, anySeen, ({ namespace, name, spec, policy, weights, mesh }, seen) => {
      const desired = { namespace, name, spec, policy: mergePolicies([{ from: 'service', policy }]), weights, mesh }
      const findings = lint(desired, seen)
      expect(lint(structuredClone(desired), structuredClone(seen))).toEqual(findings)
      for (const { code, fix, message } of findings) {
        expect(Object.keys(LINT_RULES)).toContain(code)
        expect([fix, message].join()).not.toMatch(/undefined|\[object/)
      }
    }),
    { numRuns: 500 },
  )
})

it('severities are ordered', () => {
  expect(worstOf([])).toBeUndefined()
  expect(worstOf([{ severity: 'info' }, { severity: 'warning' }])).toBe('warning')
  expect([isAsBad(undefined, 'info'), isAsBad('warning', 'error'), isAsBad('error', 'warning')]).toEqual([
    false,
    false,
    true,
  ])
})
