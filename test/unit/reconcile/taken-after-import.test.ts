import { expect, it } from 'vitest'
import { istio } from '../../../src/mesh/istio/istio.ts'
import { readService } from '../../../src/mesh/read/read-service.ts'
import { describeRef, type KubeObject, refOf } from '../../../src/model/kube.ts'
import type { ServiceSpec } from '../../../src/model/service.ts'
import { findRivals, judgeConflict } from '../../../src/reconcile/conflict.ts'
import { includesKind } from '../../../src/reconcile/gather.ts'
import type { PlannedService } from '../../../src/reconcile/situation.ts'
import { seenOf, subjectOf } from '../mesh/read/foreign.ts'
import {
  authorizationPolicy,
  PODS,
  peerAuthentication,
  reviewsService,
  SELECTOR,
  to,
  virtualService,
} from '../mesh/read/istio-objects.ts'
import { route, TOLD, tokens } from '../mesh/read/istio-reader-rows.ts'

/** Codes of objects of which an import says that they stay in force. */
const STAY = ['StaysWithOwner', 'Unattached', 'NamespaceWide', 'GatewayRoute', 'NotRead']
const service = reviewsService()

const host = (spec: object) => authorizationPolicy({ ...PODS, ...spec })
const ROWS: readonly { it: string; objects: readonly KubeObject[]; isConflict?: boolean }[] = [
  ...TOLD,
  {
    it: 'tokens that are asked for beside a policy that cannot be said: it goes on keeping others out',
    objects: [
      tokens,
      authorizationPolicy(
        { ...PODS, action: 'DENY', rules: [{ from: [{ source: { notRequestPrincipals: ['*'] } }] }] },
        { name: 'token' },
      ),
      host({ action: 'ALLOW', rules: [{ to: [{ operation: { hosts: ['reviews.example.com'] } }] }] }),
    ],
  },
  {
    it: 'mutual TLS that is strict for some of the Pods',
    isConflict: true,
    objects: [
      peerAuthentication({ ...PODS, mtls: { mode: 'PERMISSIVE' } }),
      peerAuthentication(
        { selector: { matchLabels: { ...SELECTOR, version: 'v1' } }, mtls: { mode: 'STRICT' } },
        { name: 'v1' },
      ),
    ],
  },
  {
    it: 'a wildcard beside the service',
    isConflict: true,
    objects: [
      route({ route: [to()] }),
      virtualService({ hosts: ['*.shop.svc.cluster.local'], http: [{ route: [to()] }] }, { name: 'all' }),
    ],
  },
]

function takeOver(objects: readonly KubeObject[]) {
  const [subject, seen] = [subjectOf(service), seenOf(objects, [service])]
  const reading = readService(istio, subject, seen, { team: 'shop', clusters: ['east'] })
  if (!reading?.spec) throw new Error('nothing was read')
  const spec: ServiceSpec = { ...reading.spec, mode: 'manage', adopt: true }
  const weights = spec.traffic?.weights ?? { [spec.initialVersion]: 100 }
  const { namespace, name } = subject
  const mesh = { provider: 'istio' } as const
  const input = { namespace, name, spec, policy: spec, mesh, gateways: {}, renderRevision: 0, weights }
  const rendered = istio.render(input)
  if (!rendered.ok) throw new Error(rendered.failure.detail)
  const own = rendered.steps.map(({ object }) => object)
  const sought = objects.filter((object) => includesKind(own, object) || !includesKind(istio.rareKinds ?? [], object))
  const planned = { namespace, name, spec } as unknown as PlannedService
  const rivals = findRivals(sought, planned, istio, own)
  const chosen = istio.reader.choose(subject, seen)
  const left = istio.reader.left(seen, new Set([...(chosen?.objects ?? []), ...(chosen?.idle ?? [])]))
  const staying = [...reading.findings, ...left].filter(({ code }) => STAY.includes(code)).map(({ object }) => object)
  return { ...judgeConflict({ service: planned, provider: istio, now: 0 }, [], rivals), staying, reading }
}

it.each(ROWS)('what an import says stays in force is not taken over: $it', ({ objects, isConflict }) => {
  const { taken, stop, staying, reading } = takeOver(objects)
  expect(taken.map((object) => describeRef(refOf(object))).filter((name) => staying.includes(name))).toEqual([])
  if (isConflict === undefined) return
  expect(stop?.reason).toBe('OwnedByOthers')
  expect(reading.findings.map(({ code, severity }) => `${code} ${severity}`)).toContain('NotCarried error')
})
