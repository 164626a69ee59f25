import { describe, expect, it } from 'vitest'
import { versionServiceNames, versionServices, versionServicesProblem } from '../../../src/mesh/version-services.ts'
import { inputOf, specOf } from './istio/specs.ts'

const versions = { v1: { labels: { version: 'v1' } }, v2: { labels: { version: 'v2' } } }
const workload = { labels: { app: 'web' } }

describe('the Service of a version', () => {
  it('is made for each version that names none, and selects its Pods alone', () => {
    const spec = specOf({
      workload,
      versions: { ...versions, v3: { labels: { version: 'v3' }, service: 'web-old' } },
      ports: [
        { name: 'http', port: 80, protocol: 'http', targetPort: 8080 },
        { name: 'rpc', port: 9000, protocol: 'grpc' },
      ],
    })
    expect(versionServicesProblem({ name: 'web', spec })).toBeUndefined()
    expect(versionServiceNames({ name: 'web', spec })).toEqual({ v1: 'web-v1', v2: 'web-v2', v3: 'web-old' })
    const made = versionServices(inputOf({ spec }), { annotations: { note: 'a' } })
    expect(made.map(({ metadata }) => metadata.name)).toEqual(['web-v1', 'web-v2'])
    expect(made[0]).toEqual({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: {
        name: 'web-v1',
        namespace: 'shop',
        labels: { 'app.kubernetes.io/managed-by': 'meshwright' },
        annotations: { 'meshwright.io/revision': '7', 'meshwright.io/service': 'shop/web', note: 'a' },
      },
      spec: {
        type: 'ClusterIP',
        selector: { app: 'web', version: 'v1' },
        ports: [
          { name: 'http', port: 80, targetPort: 8080, protocol: 'TCP', appProtocol: 'http' },
          { name: 'rpc', port: 9000, targetPort: 9000, protocol: 'TCP', appProtocol: 'kubernetes.io/h2c' },
        ],
      },
    })
  })

  it.each([
    ['the labels of all Pods are not known', {}, '/workload'],
    ['those labels contradict its own', { workload: { labels: { version: 'v9' } } }, '/versions/v1/labels'],
    [
      'two versions would share one',
      { workload, versions: { ...versions, v2: { labels: { version: 'v2' }, service: 'web-v1' } } },
      '/versions/v2/service',
    ],
    [
      'it is the Service of all versions',
      { workload, versions: { ...versions, v2: { labels: { version: 'v2' }, service: 'web' } } },
      '/versions/v2/service',
    ],
    [
      'its name is too long',
      { workload, versions: { ...versions, [`v${'2'.repeat(60)}`]: { labels: { version: 'v2' } } } },
      `/versions/v${'2'.repeat(60)}/service`,
    ],
  ])('cannot be made where %s', (_, change, pointer) => {
    const problem = versionServicesProblem({ name: 'web', spec: specOf(change) })
    expect(problem).toMatchObject({ code: 'InvalidCombination' })
    expect(problem?.errors?.map((error) => error.pointer)).toContain(pointer)
  })

  it('needs no labels of all Pods where every version names its own', () => {
    const named = Object.fromEntries(
      Object.entries(versions).map(([name, one]) => [name, { ...one, service: `w-${name}` }]),
    )
    const spec = specOf({ versions: named })
    expect(versionServicesProblem({ name: 'web', spec })).toBeUndefined()
    expect(versionServices(inputOf({ spec }))).toEqual([])
  })
})
