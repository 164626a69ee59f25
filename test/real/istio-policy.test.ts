import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { istio } from '../../src/mesh/istio/istio.ts'
import type { RenderInput } from '../../src/mesh/provider.ts'
import type { KubeObject } from '../../src/model/kube.ts'
import { anyPolicy } from '../unit/mesh/istio/any-policy.ts'
import { everything } from '../unit/mesh/istio/everything.ts'
import { RATE_ROWS } from '../unit/mesh/istio/rate-rows.ts'
import { anyInput, inputOf, specOf } from '../unit/mesh/istio/specs.ts'
import { TRAFFIC_ROWS } from '../unit/mesh/istio/traffic-rows.ts'
import { WORKLOAD_ROWS } from '../unit/mesh/istio/workload-rows.ts'
import { type ApiServer, startApiServer } from './parts/api-server.ts'
import { describeReal } from './parts/describe-real.ts'
import { ISTIOD_HOST, type Istiod, startIstiod } from './parts/istiod.ts'
import { scratchFolder } from './parts/scratch.ts'
import { siteOf } from './parts/site.ts'
import { until } from './parts/wait.ts'

const PLURALS: Readonly<Record<string, string>> = {
  VirtualService: 'virtualservices',
  DestinationRule: 'destinationrules',
  ServiceEntry: 'serviceentries',
  Sidecar: 'sidecars',
  PeerAuthentication: 'peerauthentications',
  RequestAuthentication: 'requestauthentications',
  AuthorizationPolicy: 'authorizationpolicies',
  Telemetry: 'telemetries',
  EnvoyFilter: 'envoyfilters',
}

/** The way every Istio checks what is applied: it must be asked, and its word counts. */
function validatingWebhook(caBundle: string, url: string) {
  const rule = { apiVersions: ['*'], operations: ['CREATE', 'UPDATE'], resources: ['*'] }
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: 'istiod' },
    webhooks: [
      {
        name: 'rev.validation.istio.io',
        clientConfig: { url, caBundle },
        rules: [{ ...rule, apiGroups: ['networking.istio.io', 'security.istio.io', 'telemetry.istio.io'] }],
        failurePolicy: 'Fail',
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
      },
    ],
  }
}

describeReal('what Istio gets for a policy', 'mesh', (parts) => {
  const dir = scratchFolder()
  let api: ApiServer
  let istiod: Istiod
  const refused = async (object: KubeObject): Promise<string | undefined> => {
    const { apiVersion, kind, metadata } = object
    const path = `/apis/${apiVersion}/namespaces/shop/${PLURALS[kind]}/${metadata.name}`
    const query = '?fieldManager=meshwright&dryRun=All&fieldValidation=Strict'
    const { status, body } = await api.admin.call('PATCH', path + query, object, 'application/apply-patch+yaml')
    return status < 300 ? undefined : `${kind}: ${status} ${JSON.stringify(body)} of ${JSON.stringify(object.spec)}`
  }
  const objects = (input: RenderInput): readonly KubeObject[] => {
    const result = istio.render(input)
    return result.ok ? result.steps.map(({ object }) => object) : []
  }
  const route = (http: readonly object[]): KubeObject => ({
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: 'bad', namespace: 'shop' },
    spec: { hosts: ['web'], http },
  })
  const NEGATIVE = route([{ route: [{ destination: { host: 'web' }, weight: -1 }, { destination: { host: 'b' } }] }])

  beforeAll(async () => {
    const site = siteOf(0)
    api = await startApiServer({ parts, dir, crds: [parts.istioCrds] })
    await api.admin.apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } }])
    istiod = await startIstiod({ parts, dir: join(dir, 'istiod'), api, site })
    const ca = readFileSync(istiod.rootCertificate).toString('base64')
    await api.admin.apply([validatingWebhook(ca, `https://${ISTIOD_HOST}:${site.port(15_017)}/validate`)])
    await until('the webhook refuses what only it knows', 60_000, async () => {
      return (await refused(NEGATIVE))?.includes('denied the request') || undefined
    })
  }, 240_000)
  afterAll(async () => {
    await istiod?.stop()
    await api?.stop()
  })

  it('is looked at by the server and by istiod, so that the rest says something', async () => {
    expect(await refused(route([{ colour: 'red' }]))).toContain('colour')
    expect(await refused(NEGATIVE)).toContain('denied the request')
    const retryOn = { attempts: 1, retryOn: 'whenever' }
    expect(await refused(route([{ route: [{ destination: { host: 'web' } }], retries: retryOn }]))).toContain('retryOn')
  })

  it('is taken for each field of the policy', async () => {
    const rows = Object.entries({ ...TRAFFIC_ROWS, ...RATE_ROWS, ...WORKLOAD_ROWS }).flatMap(([feature, rows]) =>
      rows.map(({ change }) => ({ feature, input: inputOf({ spec: specOf(change) }) })),
    )
    for (const { feature, input } of rows) {
      for (const object of objects(input)) expect(await refused(object), feature).toBeUndefined()
    }
  }, 240_000)

  it('is taken for all fields together, and for any policy', async () => {
    const samples = [
      everything(),
      ...fc.sample(anyPolicy, { numRuns: 150, seed: 7 }),
      ...fc.sample(anyInput, { numRuns: 50, seed: 7 }),
    ]
    const all = samples.flatMap(objects)
    expect(new Set(all.map(({ kind }) => kind))).toEqual(new Set(Object.keys(PLURALS)))
    for (const object of all) expect(await refused(object)).toBeUndefined()
  }, 240_000)
})
