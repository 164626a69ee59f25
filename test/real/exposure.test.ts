import { request } from 'node:https'
import type { TLSSocket } from 'node:tls'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type ApiServer, startApiServer } from './parts/api-server.ts'
import { describeReal } from './parts/describe-real.ts'
import { type Gateway, startGateway } from './parts/gateway.ts'
import { measured } from './parts/measured.ts'
import { type Mesh, startMesh } from './parts/mesh.ts'
import { object } from './parts/mesh-objects.ts'
import { type Product, startProduct } from './parts/product.ts'
import { scratchFolder } from './parts/scratch.ts'
import { type Load, startLoad } from './parts/traffic.ts'
import { until } from './parts/wait.ts'

const GROUP = '00000000-cccc-4000-8000-000000000001'
const NETWORKING = 'networking.istio.io/v1'
const VERSIONS = { v1: { labels: { version: 'v1' } }, v2: { labels: { version: 'v2' } } }

interface Seen {
  readonly status: number
  readonly version: string | null
  readonly serial: string
  readonly detail?: string
}

/** Two services on one host of a real gateway, by path: what a real istiod and Envoy make of delegates. */
describeReal('services that share a host of a real gateway', 'mesh', (parts) => {
  const dir = scratchFolder()
  let api: ApiServer
  let mesh: Mesh
  let gateway: Gateway
  let product: Product
  let load: Load<Seen> | undefined

  beforeAll(async () => {
    api = await startApiServer({ parts, dir: `${dir}/api`, crds: [parts.istioCrds] })
    mesh = await startMesh({ parts, dir: `${dir}/mesh`, api })
    gateway = await startGateway({ parts, dir: `${dir}/gateway`, api, mesh })
    await api.admin.apply(secondService())
    product = await startProduct({ dir: `${dir}/product`, clusters: [api] })
    await product.must('operator', 'PUT', '/clusters/real', {
      kubeconfig: { context: api.context },
      mesh: {
        gateways: {
          external: {
            namespace: gateway.secret.namespace,
            selector: { istio: 'aks-istio-ingressgateway-external' },
          },
        },
      },
    })
    await product.must('admin', 'PUT', '/teams/shop', { namespaces: ['shop'], groups: [GROUP], hosts: [gateway.host] })
    await product.must('operator', 'PUT', '/certificates/edge-tls', {
      purpose: 'gateway-tls',
      dnsNames: [gateway.host],
      clusters: ['real'],
      secret: gateway.secret,
      issuer: { kind: 'self' },
      validityMonths: 3,
    })
  })

  afterAll(async () => {
    await load?.stop()
    await product?.kill()
    await gateway?.stop()
    await mesh?.stop()
    await api?.stop()
  })

  /** Service `api`, of the same Pods as `web`: what a person and the EndpointSlice controller would have made. */
  function secondService() {
    const labels = { 'kubernetes.io/service-name': 'api' }
    const endpoints = ['v1', 'v2'].map((version, index) => ({
      addresses: [mesh.site.pod(11 + index)],
      conditions: { ready: true, serving: true, terminating: false },
      targetRef: { kind: 'Pod', name: `web-${version}`, namespace: 'shop' },
    }))
    const ports = [{ name: 'http', port: 9898, protocol: 'TCP' }]
    return [
      object('v1', 'Service', 'shop', 'api', {
        spec: { selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 9898 }] },
      }),
      object('discovery.k8s.io/v1', 'EndpointSlice', 'shop', 'api-1', {
        labels,
        addressType: 'IPv4',
        ports,
        endpoints,
      }),
    ]
  }

  function put(name: string, initialVersion: string, exposure: readonly object[]) {
    return product.must('deployer', 'PUT', `/services/shop/${name}`, {
      team: 'shop',
      ports: [{ name: 'http', port: 80, protocol: 'http' }],
      versions: VERSIONS,
      initialVersion,
      clusters: ['real'],
      exposure,
    })
  }

  const tls = { certificate: 'edge-tls' }
  const on = (more: object = {}) => [{ host: gateway.host, tls, ...more }]

  async function exposed(name: string, wanted: string): Promise<string> {
    return until(`shop/${name} is ${wanted}`, 90_000, async () => {
      product.assertAlive()
      const path = `/services/shop/${name}/placements`
      const { value } = await product.must<Placements>('viewer', 'GET', path)
      const found = value[0]?.conditions.find(({ type }) => type === 'Exposed')
      if (found && `${found.status} ${found.reason}` === wanted) return found.message
      throw new Error(JSON.stringify(value[0]?.conditions))
    })
  }

  /** Asks the gateway for a path on a new connection. Never rejects. */
  function ask(path: string): Promise<Seen> {
    const { address, port, host } = gateway
    return new Promise((resolve) => {
      let serial = ''
      const end = (status: number, version: string | null, detail?: string) =>
        resolve({ status, version, serial, ...(detail === undefined ? {} : { detail }) })
      const options = { servername: host, agent: false, rejectUnauthorized: false, timeout: 10_000 }
      const outgoing = request({ host: address, port, path, headers: { host }, ...options })
      outgoing.on('socket', (socket) => {
        const secure = socket as TLSSocket
        secure.once('secureConnect', () => {
          serial = secure.getPeerCertificate().serialNumber.toLowerCase().replace(/^0+/, '')
        })
      })
      outgoing.on('response', async (incoming) => {
        let text = ''
        for await (const chunk of incoming) text += chunk
        const version = text.startsWith('{') ? (JSON.parse(text) as { version: string }).version : null
        end(incoming.statusCode ?? 0, version, version === null ? text.slice(0, 100) : undefined)
      })
      outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in 10 s')))
      outgoing.on('error', (error) => end(0, null, error.message))
      outgoing.end()
    })
  }

  /** `{ "200 v1": 100 }` of so many requests, one after the other. */
  async function answers(path: string, count = 100): Promise<Record<string, number>> {
    const seen: Record<string, number> = {}
    for (let index = 0; index < count; index += 1) {
      const { status, version } = await ask(path)
      seen[`${status} ${version}`] = (seen[`${status} ${version}`] ?? 0) + 1
    }
    return seen
  }

  async function comesTo(path: string, wanted: string): Promise<void> {
    await until(`${path} comes to ${wanted}`, 60_000, async () => {
      gateway.assertAlive()
      const { status, version, detail } = await ask(path)
      if (`${status} ${version}` !== wanted) throw new Error(`${status} ${version} ${detail}`)
      return true
    })
  }

  it('are held up by the Gateway of another hand for the host, which is named', async () => {
    await put('web', 'v1', on())
    await put('api', 'v2', on({ path: '/api' }))
    expect(await exposed('web', 'False OwnedByOthers')).toContain('Gateway aks-istio-ingress/web')
    for (const kind of ['VirtualService', 'Gateway'])
      await api.admin.remove(object(NETWORKING, kind, gateway.secret.namespace, 'web'))
  })

  it('are let in by their paths, whole segments, the longest first, with the registered certificate', async () => {
    await exposed('web', 'True Exposed')
    await exposed('api', 'True Exposed')
    await comesTo('/', '200 v1')
    await comesTo('/api', '200 v2')
    const seen = { '/': await answers('/'), '/apix': await answers('/apix', 20), '/api/x': await answers('/api/x') }
    expect(seen).toEqual({ '/': { '200 v1': 100 }, '/apix': { '200 v1': 20 }, '/api/x': { '200 v2': 100 } })
    const { serial } = await product.must<{ serial: string }>('viewer', 'GET', '/certificates/edge-tls')
    expect((await ask('/')).serial).toBe(serial)
    const taken = await product.call('deployer', 'PUT', '/services/shop/late', {
      team: 'shop',
      ports: [{ name: 'http', port: 80, protocol: 'http' }],
      versions: VERSIONS,
      initialVersion: 'v1',
      clusters: ['real'],
      exposure: on(),
    })
    expect(taken).toMatchObject({ status: 409, body: { code: 'HostTaken' } })
  })

  it('share a rollout of one through the gateway, and back, and no request is lost', async () => {
    load = startLoad(() => ask('/'), { perSecond: 40, seconds: 300 })
    const { id } = await product.must<{ id: string }>('deployer', 'POST', '/services/shop/web/rollouts', {
      candidate: 'v2',
      steps: [{ weight: 30, for: '10m' }],
      gates: [],
    })
    await until('v2 has its share', 90_000, async () => ((await answers('/', 100))['200 v2'] ?? 0) >= 15)
    const share = ((await answers('/', 300))['200 v2'] ?? 0) / 300
    expect(share).toBeGreaterThan(0.2)
    expect(share).toBeLessThan(0.4)
    expect(await answers('/api', 50)).toEqual({ '200 v2': 50 })
    await product.must('deployer', 'POST', `/rollouts/${id}/abort`)
    await until('v1 has all again', 60_000, async () => (await answers('/', 50))['200 v1'] === 50)
    const all = await stopLoad()
    expect(all.filter(({ status }) => status !== 200)).toEqual([])
    measured(
      `canary by the gateway: ${Math.round(share * 100)} % of 300 at weight 30; ${all.length} requests, 0 failed`,
    )
  })

  it('are parted under load: what one gives up is the other’s, and nothing of it is left', async () => {
    load = startLoad(() => ask('/api'), { perSecond: 40, seconds: 300 })
    await until('the load runs', 20_000, () => (load?.answers.length ?? 0) >= 40)
    await put('api', 'v2', [])
    await until('/api is with web', 60_000, async () => (await answers('/api', 20))['200 v1'] === 20)
    await until('the delegate is gone', 60_000, async () => {
      const { value } = await product.must<Placements>('viewer', 'GET', '/services/shop/api/placements')
      const left = (value[0]?.objects ?? []).filter(({ name }) => name.includes('.exposed.'))
      if (left.length > 0) throw new Error(JSON.stringify(value[0]?.conditions))
      return true
    })
    const all = await stopLoad()
    expect(all.filter(({ status }) => status !== 200)).toEqual([])
    expect(await answers('/', 50)).toEqual({ '200 v1': 50 })
  })

  async function stopLoad(): Promise<readonly Seen[]> {
    const all = (await load?.stop()) ?? []
    load = undefined
    return all
  }
})

interface Placements {
  readonly value: readonly {
    readonly conditions: readonly {
      readonly type: string
      readonly status: string
      readonly reason: string
      readonly message: string
    }[]
    readonly objects: readonly { readonly name: string }[]
  }[]
}
