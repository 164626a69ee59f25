import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { consul } from '../../src/mesh/consul/consul.ts'
import { osm } from '../../src/mesh/osm/osm.ts'
import type { Provider, RenderInput } from '../../src/mesh/provider.ts'
import type { KubeObject } from '../../src/model/kube.ts'
import * as ofConsul from '../unit/mesh/consul/specs.ts'
import * as ofOsm from '../unit/mesh/osm/specs.ts'
import { type ApiServer, startApiServer } from './parts/api-server.ts'
import { describeReal } from './parts/describe-real.ts'
import { scratchFolder } from './parts/scratch.ts'

const CONSUL_CRDS = new URL('./crds/consul.yaml', import.meta.url).pathname

const everything: Readonly<Record<'consul' | 'osm', readonly RenderInput[]>> = {
  consul: [
    ofConsul.withPolicy(
      {
        traffic: {
          timeout: '5s',
          retries: { attempts: 2, on: ['5xx', 'connect-failure'] },
          connections: { connectTimeout: '250ms' },
          affinity: { cookie: { name: 'c', ttl: '1d', path: '/' } },
          routes: [
            {
              name: 'api',
              match: [
                {
                  path: { prefix: '/api' },
                  methods: ['GET'],
                  headers: { 'x-a': { exact: '1' }, 'x-b': { prefix: 'b' }, 'x-c': { regex: 'c+' } },
                  cookie: { name: 'beta' },
                  query: { q: { exact: '1' }, r: { prefix: 'r' }, s: { regex: 's' } },
                },
              ],
              rewrite: { path: '/v2' },
              timeout: '1s',
            },
          ],
        },
        security: {
          mtls: 'permissive',
          authorization: {
            allow: [{ name: 'a', serviceAccounts: ['shop/a'], methods: ['GET'], paths: ['/a', '/b*'] }],
            deny: [{ name: 'd', paths: ['/admin*'] }],
          },
        },
      },
      {
        weights: { v1: 90, v2: 10 },
        candidate: {
          version: 'v2',
          match: [{ path: { exact: '/api/x' } }],
          affinity: { cookie: 'c', value: 'v', maxAgeMs: 60_000 },
        },
      },
    ),
    ...['round-robin', 'least-request', 'random'].map((loadBalancing) =>
      ofConsul.withPolicy({ traffic: { loadBalancing } }),
    ),
    ...[{ header: 'x-a' }, { query: 'q' }, { sourceIp: true }].map((affinity) =>
      ofConsul.withPolicy({ traffic: { affinity } }),
    ),
  ],
  osm: [
    ofOsm.withPolicy(
      {
        ports: [{ name: 'http', port: 80, protocol: 'http', targetPort: 'web' }],
        traffic: {
          connections: {
            maxConnections: 1,
            connectTimeout: '250ms',
            maxRequests: 2,
            maxPendingRequests: 3,
            maxRequestsPerConnection: 4,
          },
          rateLimit: { requests: 10, per: 'second', burst: 15 },
        },
        security: {
          mtls: 'strict',
          authorization: {
            allow: [
              { name: 'a', serviceAccounts: ['shop/a', 'other/b'], methods: ['GET'], paths: ['/a', '/b*'] },
              { name: 'b', serviceAccounts: ['shop/c'] },
            ],
          },
        },
        egress: { hosts: [{ host: 'api.example.com', ports: [{ port: 443, protocol: 'https' }] }] },
      },
      { weights: { v1: 90, v2: 10 } },
    ),
  ],
}

describeReal(
  'what meshes with a Service or subset a version get is taken by a real API server with their CRDs',
  'api',
  (parts) => {
    const dir = scratchFolder()
    let api: ApiServer
    beforeAll(async () => {
      api = await startApiServer({ parts, dir, crds: [CONSUL_CRDS, parts.osmCrds] })
      await api.admin.apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } }])
    }, 240_000)
    afterAll(() => api?.stop())

    /** Problems that a strict server-side dry run has with objects. */
    async function refusals(objects: readonly KubeObject[]): Promise<readonly string[]> {
      const answers = await Promise.all(objects.map((object) => dryRun(object)))
      return answers.flat()
    }

    async function dryRun(object: KubeObject): Promise<readonly string[]> {
      const { apiVersion, kind, metadata } = object
      const plural =
        kind === 'ServiceDefaults' || kind === 'ServiceIntentions' ? kind : kind === 'Egress' ? 'egresses' : `${kind}s`
      const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
      const path = `${root}/namespaces/shop/${plural.toLowerCase()}/${metadata.name}`
      const query = '?fieldManager=meshwright&dryRun=All&fieldValidation=Strict'
      const { status, body } = await api.admin.call('PATCH', path + query, object, 'application/apply-patch+yaml')
      return status < 300 ? [] : [`${kind}: ${status} ${JSON.stringify(body)} of ${JSON.stringify(object.spec)}`]
    }

    function rendered(provider: Provider, input: RenderInput): readonly KubeObject[] {
      const result = provider.render(input)
      if (!result.ok) throw new Error(result.failure.detail)
      return result.steps.map(({ object }) => object)
    }

    it('refuses a field that is none, so that the rest says something', async () => {
      const [object] = rendered(consul, ofConsul.inputOf())
      if (!object) throw new Error('nothing')
      expect(await refusals([{ ...object, spec: { ...object.spec, colour: 'red' } }])).toHaveLength(1)
    })

    it.each([
      ['Consul', consul, everything.consul, ofConsul.anyInput],
      ['Open Service Mesh', osm, everything.osm, ofOsm.anyInput],
    ])(
      'for %s',
      async (_, provider, inputs, any) => {
        const all = [...inputs, ...fc.sample(any, { numRuns: 40, seed: 7 })]
        for (const input of all) expect(await refusals(rendered(provider, input))).toEqual([])
      },
      240_000,
    )
  },
)
