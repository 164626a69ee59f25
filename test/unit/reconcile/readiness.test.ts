import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../../../src/model/kube.ts'
import { podSelector, readyByVersion, unboundVersions } from '../../../src/reconcile/readiness.ts'

const version = (labels: Record<string, string>) => ({ labels })
const pod = (name: string, labels: Record<string, string>) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels },
})
const slice = (endpoints: unknown, service = 'web'): KubeObject => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: `${service}-1`, labels: { 'kubernetes.io/service-name': service } },
  endpoints,
})
const to = (name: string, ready?: boolean) => ({
  ...(ready === undefined ? {} : { conditions: { ready } }),
  targetRef: { kind: 'Pod', name },
})

describe('ready endpoints of a version', () => {
  const versions = { v1: version({ version: 'v1' }), v2: version({ version: 'v2', track: 'canary' }) }
  const pods = [pod('a', { version: 'v1' }), pod('b', { version: 'v1' }), pod('c', { version: 'v2' })]

  it('are Pods that an EndpointSlice calls ready and that bear all its labels', () => {
    const slices = [slice([to('a', true), to('b', false), to('c', true)])]
    expect(readyByVersion(versions, slices, pods)).toEqual({ v1: { ready: 1 }, v2: { ready: 0 } })
  })

  it('count a Pod in two slices once, and an endpoint that does not say as ready', () => {
    expect(readyByVersion(versions, [slice([to('a')]), slice([to('a', true)])], pods).v1).toEqual({ ready: 1 })
  })

  it('count in the Service of the version, where it has one of its own', () => {
    const slices = [slice([to('a'), to('b'), to('c')]), slice([to('a')], 'web-v1')]
    const services = { v1: 'web-v1', v2: 'web-v2' }
    expect(
      readyByVersion({ v1: version({ version: 'v1' }), v2: version({ version: 'v2' }) }, slices, pods, { services }),
    ).toEqual({
      v1: { ready: 1 },
      v2: { ready: 0 },
    })
  })

  it('need a Pod behind them', () => {
    expect(readyByVersion(versions, [slice([{ conditions: { ready: true } }, to('gone')])], pods).v1).toEqual({
      ready: 0,
    })
    expect(readyByVersion(versions, [slice(undefined)], pods).v1).toEqual({ ready: 0 })
  })
})

describe('versions whose rules pass them by', () => {
  const versions = { v1: version({ version: 'v1' }), v2: version({ version: 'v2' }) }
  const slices = [slice([to('a'), to('b'), to('c', false)])]

  it.each([
    ['web', []],
    ['webb', ['v1', 'v2']],
  ])('where workload says app=%s are %j', (app, unbound) => {
    const pods = ['a', 'b'].map((name, index) => pod(name, { version: `v${index + 1}`, app: 'web' }))
    expect(unboundVersions(versions, slices, pods, { app })).toEqual(unbound)
  })

  it('are told by ready Pods alone', () => {
    const pods = [pod('a', { version: 'v1', app: 'web' }), pod('c', { version: 'v2' })]
    expect(unboundVersions(versions, slices, pods, { app: 'web' })).toEqual([])
  })
})

describe('the Pods to list', () => {
  it.each([
    [{ v1: version({ version: 'v1' }), v2: version({ version: 'v2' }) }, 'version in (v1,v2)'],
    [{ v1: version({ a: '1', b: '2' }), v2: version({ b: '3', a: '1' }) }, 'a in (1),b in (2,3)'],
    [{ v1: version({ a: '1' }), v2: version({ b: '1' }) }, undefined],
  ])('of %j are %s', (versions, selector) => {
    expect(podSelector(versions)).toBe(selector)
  })
})
