import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { istio } from '../../../../src/mesh/istio/istio.ts'
import { sameWeights, withWeights } from '../../../../src/mesh/istio/route.ts'
import type { RenderInput, RenderStep } from '../../../../src/mesh/provider.ts'
import { describeRef, type KubeObject, refOf } from '../../../../src/model/kube.ts'
import { holds } from '../../../../src/reconcile/content.ts'
import { anyPolicy, renderablePolicy } from './any-policy.ts'
import { inputOf, specOf } from './specs.ts'

const rendersAtAll = (input: RenderInput) => istio.render(input).ok
// Of random policies those that are taken whole are mostly bare: others come with what Istio takes of them.
const renderable = fc.oneof(anyPolicy.filter(rendersAtAll), { weight: 2, arbitrary: renderablePolicy })

function steps(input: RenderInput): readonly RenderStep[] {
  const result = istio.render(input)
  if (!result.ok) throw new Error(result.failure.detail)
  return result.steps
}

const objects = (input: RenderInput) => steps(input).map(({ object }) => object)
const nameOf = (object: KubeObject) => describeRef(refOf(object))

describe('any policy', () => {
  it('is rendered or refused with a pointer, and the same in gives the same out', () => {
    const seen = { rendered: 0, refused: 0 }
    fc.assert(
      fc.property(anyPolicy, (input) => {
        const result = istio.render(input)
        expect(istio.render(structuredClone(input))).toEqual(result)
        seen[result.ok ? 'rendered' : 'refused'] += 1
        if (result.ok) return
        expect(result.failure.errors?.length).toBeGreaterThan(0)
        for (const { pointer } of result.failure.errors ?? []) expect(pointer).toMatch(/^\//)
      }),
      { numRuns: 150 },
    )
    expect(Math.min(seen.rendered, seen.refused)).toBeGreaterThan(5)
  })

  it('has objects of different names, each with our marks and a name that Kubernetes takes', () => {
    fc.assert(
      fc.property(renderable, (input) => {
        const all = objects({ ...input, name: 'w'.repeat(63) })
        expect(new Set(all.map(nameOf)).size).toBe(all.length)
        for (const { metadata } of all) {
          expect(metadata.name.length).toBeLessThanOrEqual(253)
          expect(metadata.annotations?.['meshwright.io/service']).toBe(`shop/${'w'.repeat(63)}`)
        }
      }),
      { numRuns: 40 },
    )
  })

  it('sends whatever its routes take by the asked weights', () => {
    fc.assert(
      fc.property(renderable, (input) => {
        const route = objects(input).find(({ kind }) => kind === 'VirtualService')
        expect(route && istio.liveWeights(route)).toEqual(input.weights)
      }),
      { numRuns: 40 },
    )
  })

  it('applied twice changes nothing the second time', () => {
    fc.assert(
      fc.property(renderable, (input) => {
        const live = objects(input)
        const again = istio.stage(live, steps({ ...input, renderRevision: 9999 }))
        for (const { object } of again) {
          const there = live.find((other) => nameOf(other) === nameOf(object))
          expect(there && holds(there, object)).toBe(true)
        }
      }),
      { numRuns: 40 },
    )
  })

  it('comes and goes make before break: weights alone, nothing named that is not there, all of it in the end', () => {
    fc.assert(
      fc.property(renderable, renderable, (from, to) => {
        const end = objects(to)
        const wanted = new Set(end.map(nameOf))
        const live = new Map(objects(from).map((object) => [nameOf(object), object]))
        // As reconcile does it: what is wanted no longer goes at the end.
        const own = [...live.values()].filter((object) => wanted.has(nameOf(object)))
        for (const { object } of istio.stage(own, steps(to))) {
          const last = live.get(nameOf(object))
          if (last && object.kind === 'VirtualService') {
            const [before, after] = [istio.liveWeights(last) ?? {}, istio.liveWeights(object) ?? {}]
            if (!sameWeights(before, after)) expect(withWeights(last, {}).spec).toEqual(withWeights(object, {}).spec)
          }
          live.set(nameOf(object), object)
        }
        const left = [...live.values()].filter((object) => wanted.has(nameOf(object)))
        expect(new Map(left.map((object) => [nameOf(object), object]))).toEqual(
          new Map(end.map((object) => [nameOf(object), object])),
        )
      }),
      { numRuns: 40 },
    )
  })
})

describe('the order in which a policy comes', () => {
  const spec = (security: object) => ({ workload: { labels: { app: 'web' } }, security })
  const shown = (staged: readonly RenderStep[]) =>
    staged.map(({ object, barriers }) => {
      const waits = barriers.map((barrier) =>
        barrier.kind === 'endpoints-ready' ? 'ready' : `${barrier.kind} ${describeRef(barrier.object)}`,
      )
      return `${object.kind} ${object.metadata.name}${waits.length > 0 ? ` after ${waits.join(', ')}` : ''}`
    })

  it('is: what reads tokens, then the rules about them, and routes last', () => {
    const issuers = [{ issuer: 'https://id.example.com', jwksUri: 'https://id.example.com/keys', audiences: ['web'] }]
    const authorization = { allow: [{ name: 'a', serviceAccounts: ['shop/cart'] }], deny: [{ name: 'b' }] }
    const all = specOf({
      ...spec({ mtls: 'strict', authentication: { issuers }, authorization }),
      egress: { unlisted: 'deny', hosts: [{ host: 'pay.example.com', ports: [{ port: 443, protocol: 'https' }] }] },
      telemetry: { accessLog: 'errors' },
    })
    const read = 'after settled RequestAuthentication shop/web'
    expect(shown(steps(inputOf({ spec: all })))).toEqual([
      'PeerAuthentication web',
      'RequestAuthentication web',
      'ServiceEntry web-svmimubvsva4',
      'Telemetry web',
      'DestinationRule web',
      `AuthorizationPolicy web-token ${read}`,
      `AuthorizationPolicy web-deny ${read}`,
      `AuthorizationPolicy web-allow ${read}`,
      'Sidecar web after settled ServiceEntry shop/web-svmimubvsva4',
      'VirtualService web after settled DestinationRule shop/web, ready',
    ])
  })

  it('is reversed where mutual TLS gets weaker: rules by caller change or go first', () => {
    const allow = [{ name: 'a', serviceAccounts: ['shop/cart'] }]
    const strict = inputOf({ spec: specOf(spec({ mtls: 'strict', authorization: { allow } })) })
    const peerOf = (security: object) => {
      const to = inputOf({ spec: specOf(spec(security)) })
      const staged = shown(istio.stage(objects(strict), steps(to)))
      return staged.filter((step) => /Peer|Authorization/.test(step))
    }
    expect(peerOf({ mtls: 'permissive', authorization: { allow } })).toEqual([
      'AuthorizationPolicy web-allow',
      'PeerAuthentication web after settled AuthorizationPolicy shop/web-allow',
    ])
    expect(peerOf({ mtls: 'disabled' })).toEqual([
      'PeerAuthentication web after gone AuthorizationPolicy shop/web-allow',
    ])
  })

  it('removes routes first, then rules before what reads tokens, and the list before what it is for', () => {
    const kinds = [
      'DestinationRule',
      'ServiceEntry',
      'Sidecar',
      'RequestAuthentication',
      'AuthorizationPolicy',
      'VirtualService',
    ]
    const refs = kinds.map((kind) => ({ apiVersion: 'v1', kind, name: 'web' }))
    expect(istio.pruneOrder(refs).map(({ kind }) => kind)).toEqual([
      'VirtualService',
      'AuthorizationPolicy',
      'RequestAuthentication',
      'Sidecar',
      'ServiceEntry',
      'DestinationRule',
    ])
  })
})
