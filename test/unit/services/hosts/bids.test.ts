import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { istioHosts } from '../../../../src/mesh/istio/host.ts'
import type { HostDocument } from '../../../../src/model/documents.ts'
import { type Claims, hostClusters, plainPath } from '../../../../src/model/host.ts'
import { bidsFor, bidsOfOthers, judgeBids } from '../../../../src/services/hosts/bids.ts'
import { settle } from '../../../../src/services/hosts/settle-host.ts'

const HOST = 'external/web.example.com'
const NOW = Date.parse('2026-05-01T10:00:00.000Z')

const path = fc
  .array(fc.constantFrom('a', 'b', 'ab'), { maxLength: 3 })
  .chain((parts) => fc.constantFrom(`/${parts.join('/')}`, `/${parts.join('/')}/`))
  .map(plainPath)
const claims: fc.Arbitrary<Claims> = fc.uniqueArray(fc.record({ path, cluster: fc.constantFrom('east', 'west') }), {
  maxLength: 5,
  selector: (claim) => `${claim.cluster} ${claim.path}`,
})
const story = fc.array(fc.record({ service: fc.constantFrom('shop/a', 'shop/b', 'shop/c'), claims }), { maxLength: 10 })

/** A host after services claimed one after the other, however their claims collide. */
function told(steps: readonly { readonly service: string; readonly claims: Claims }[]): HostDocument | undefined {
  let host: HostDocument | undefined
  for (const [index, { service, claims }] of steps.entries()) {
    const change = settle(HOST, host, service, { revision: index, claims }, NOW + index)
    if (change.kind === 'write') host = { ...change.document, outbox: [] }
    if (change.kind === 'remove') host = undefined
  }
  return host
}

function heldOn(host: HostDocument | undefined, cluster: string) {
  return Object.entries(host?.holders ?? {}).flatMap(([service, { paths }]) =>
    paths.filter(({ clusters }) => cluster in clusters).map((held) => ({ service, path: held.path })),
  )
}

describe('claims of a host', () => {
  it('never give one path of a cluster to two services, whatever comes in what order', () => {
    fc.assert(
      fc.property(story, (steps) => {
        const host = told(steps)
        for (const cluster of ['east', 'west']) {
          const paths = heldOn(host, cluster).map((held) => held.path)
          expect(new Set(paths).size).toBe(paths.length)
        }
      }),
    )
  })

  it('give every claim to its service, or name who stands in the way', () => {
    fc.assert(
      fc.property(story, (steps) => {
        const host = told(steps)
        for (const service of ['shop/a', 'shop/b', 'shop/c']) {
          const last = steps.findLast((step) => step.service === service)
          for (const { path, cluster } of last?.claims ?? []) {
            const holder = heldOn(host, cluster).find((held) => held.path === path)?.service
            const refused = host?.holders[service]?.refused?.find((one) => one.path === path && one.cluster === cluster)
            expect(holder === service || refused !== undefined).toBe(true)
          }
        }
      }),
    )
  })

  it('are refused to a second service at once, and stay with the first', () => {
    fc.assert(
      fc.property(story, claims, (steps, more) => {
        const host = told(steps)
        const others = bidsOfOthers(host, 'shop/late')
        const own = bidsFor('shop/late', more, undefined, '2030-01-01T00:00:00.000Z')
        const { held, refused } = judgeBids([...others, ...own])
        for (const { service, path } of heldOn(host, 'east')) {
          expect(held.some((bid) => bid.service === service && bid.claim.path === path)).toBe(true)
          const second = own.find(({ claim, cluster }) => claim.path === path && cluster === 'east')
          if (second) expect(refused).toContainEqual(expect.objectContaining({ service: 'shop/late', by: service }))
        }
      }),
    )
  })

  it('compose to routes in which each request goes to the service with the longest path that fits', () => {
    fc.assert(
      fc.property(story, path, (steps, asked) => {
        const held = heldOn(told(steps), 'east')
        const request = asked === '/' ? '/x' : asked
        const fits = (prefix: string) => prefix === '/' || request === prefix || request.startsWith(`${prefix}/`)
        const [wanted] = held.filter((one) => fits(one.path)).toSorted((a, b) => b.path.length - a.path.length)
        expect(firstRoute(held, request)).toBe(wanted?.service)
      }),
    )
  })

  it('that are settled twice change nothing, and an older document says nothing', () => {
    fc.assert(
      fc.property(story, claims, (steps, older) => {
        const host = told(steps)
        const last = steps.at(-1)
        if (!host || !last) return
        const again = { revision: steps.length - 1, claims: last.claims }
        expect(settle(HOST, host, last.service, again, NOW + 1000).kind).toBe('leave')
        if ((host.holders[last.service]?.revision ?? 0) > 0)
          expect(settle(HOST, host, last.service, { revision: -1, claims: older }, NOW + 1000).kind).toBe('leave')
      }),
    )
  })

  it('that are given up free the cluster, which is left', () => {
    const host = told([{ service: 'shop/a', claims: [{ path: '/', cluster: 'east' }] }])
    if (!host) throw new Error('no host')
    const change = settle(HOST, host, 'shop/a', { revision: 5, claims: [] }, NOW)
    expect(change).toMatchObject({
      kind: 'write',
      document: { holders: {}, leaving: ['east'], renderRevision: host.renderRevision + 1 },
    })
    expect(hostClusters(host)).toEqual(['east'])
  })

  it('pass to who was refused them once they are given up: that one is asked again', () => {
    const both = [{ path: '/', cluster: 'east' }]
    const host = told([
      { service: 'shop/a', claims: both },
      { service: 'shop/b', claims: both },
    ])
    if (!host) throw new Error('no host')
    expect(host.holders['shop/b']?.refused).toEqual([{ path: '/', cluster: 'east', by: 'shop/a', reason: 'holds /' }])
    const change = settle(HOST, host, 'shop/a', { revision: 5, claims: [] }, NOW)
    if (change.kind !== 'write') throw new Error(change.kind)
    expect(change.document.outbox).toContainEqual(
      expect.objectContaining({ message: { kind: 'host', host: HOST, service: 'shop/b' } }),
    )
  })

  it.each([
    ['another certificate', { certificate: 'other' }],
    ['none', {}],
    ['another answer to plain HTTP', { certificate: 'web', redirectHttp: true }],
  ])('of one host want one certificate: %s is refused', (_, more) => {
    const bid = { cluster: 'east', since: '1' }
    const first = { ...bid, service: 'shop/a', claim: { path: '/', certificate: 'web' } }
    const second = { ...bid, since: '2', service: 'shop/b', claim: { path: '/b', ...more } }
    expect(judgeBids([first, second]).refused).toMatchObject([
      { service: 'shop/b', by: 'shop/a', reason: 'serves the host with certificate web and without plain HTTP' },
    ])
    expect(judgeBids([first, { ...second, cluster: 'west' }]).refused).toEqual([])
  })
})

/** What Istio does with a request: the first http route of which a match fits. */
function firstRoute(held: readonly { readonly service: string; readonly path: string }[], request: string) {
  const rendered = istioHosts.render({
    gateway: 'external',
    host: 'web.example.com',
    place: { namespace: 'ingress', selector: { istio: 'gw' }, httpPort: 80, httpsPort: 443 },
    renderRevision: 1,
    redirectHttp: false,
    routes: held.map(({ service, path }) => ({ namespace: 'shop', name: service.split('/')[1] ?? '', path })),
  })
  if (!rendered.ok) throw new Error(rendered.failure.detail)
  const http = (rendered.steps[1]?.object.spec?.http ?? []) as readonly {
    readonly match?: readonly { readonly uri: { readonly exact?: string; readonly prefix?: string } }[]
    readonly delegate: { readonly name: string }
  }[]
  const first = http.find(
    ({ match }) =>
      !match || match.some(({ uri }) => uri.exact === request || (uri.prefix && request.startsWith(uri.prefix))),
  )
  return first && `shop/${first.delegate.name.split('.')[0]}`
}
