import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { podAddresses } from '../../src/adapters/outside-address.ts'
import { tlsPodHandshakes } from '../../src/adapters/pod-handshake.ts'
import { type ApiServer, startApiServer } from './parts/api-server.ts'
import { CA_PARTS, type CaSyncer, readCa, startCaSyncer } from './parts/ca-folder.ts'
import { describeReal } from './parts/describe-real.ts'
import { measured } from './parts/measured.ts'
import { type Mesh, startMesh } from './parts/mesh.ts'
import { object, POD_PORT } from './parts/mesh-objects.ts'
import { type Product, startProduct } from './parts/product.ts'
import { realVault } from './parts/real-vault.ts'
import { scratchFolder } from './parts/scratch.ts'
import { sidecarCertificates } from './parts/sidecar-certificates.ts'
import { until } from './parts/wait.ts'

const TTL = '1m'

/** Real sidecars, asked by Meshwright's own handshakes; without metrics, and with an istiod whose log no kubelet gives. */
describeReal('leaves of real sidecars by handshakes', 'mesh', (parts) => {
  const dir = scratchFolder()
  const handshakes = tlsPodHandshakes(podAddresses())
  let api: ApiServer
  let mesh: Mesh
  let product: Product
  let syncer: CaSyncer

  beforeAll(async () => {
    api = await startApiServer({ parts, dir: `${dir}/api`, crds: [parts.istioCrds] })
    mesh = await startMesh({ parts, dir: `${dir}/mesh`, api, workloadTtl: TTL })
    product = await startProduct({ dir: `${dir}/product`, clusters: [api] })
    const vault = realVault(product)
    const held = readCa(mesh.istiod.authorityDir)
    for (const part of CA_PARTS) await vault.write(part, held[part])
    syncer = startCaSyncer(vault, mesh.istiod.authorityDir, 1000)
  })

  afterAll(async () => {
    await syncer?.stop()
    await product?.kill()
    await mesh?.stop()
    await api?.stop()
  })

  it.each(['STRICT', 'PERMISSIVE'] as const)('are those that they have, where the mesh is %s', async (mode) => {
    await api.admin.apply([
      object('security.istio.io/v1', 'PeerAuthentication', mesh.namespace, 'default', { spec: { mtls: { mode } } }),
    ])
    const plain = mesh.plainClient('v1')
    await until(`it is ${mode}`, 20_000, async () => {
      const { status } = await plain.send()
      return (status === 200) === (mode === 'PERMISSIVE')
    })
    for (const version of ['v1', 'v2']) await showsItsOwn(version)
  })

  it('take a rotation on before its TTL is over, though metrics tell nothing and the log cannot be read', async () => {
    // Its sidecar takes no calls at its address: with it not every leaf could be read.
    const client = `/api/v1/namespaces/${mesh.namespace}/pods/client?gracePeriodSeconds=0`
    expect((await api.admin.call('DELETE', client)).status).toBe(200)
    const spec = { nodeName: 'node-1', containers: [{ name: 'discovery', image: 'none' }] }
    await api.admin.apply([
      object('v1', 'ServiceAccount', 'istio-system', 'default'),
      object('v1', 'Pod', 'istio-system', 'istiod-1', { labels: { app: 'istiod' }, spec }),
    ])
    await product.must('operator', 'PUT', '/clusters/real?wait=30s', { kubeconfig: { context: api.context } })
    const body = { purpose: 'mesh-ca', cluster: 'real', root: { kind: 'external' }, workloadTtl: TTL, handshakes: true }
    await product.must('operator', 'PUT', '/certificates/real-ca', body)
    const before = await ca(({ current }) => current !== undefined)
    await product.must('operator', 'POST', '/certificates/real-ca/rotate', { what: 'intermediate' })
    const { rotation } = await ca((seen) => seen.rotation?.csr !== undefined)
    const began = performance.now()
    await product.must('operator', 'POST', '/certificates/real-ca/complete', { chain: signed(rotation?.csr ?? '') })
    const said = new Set<string>()
    const after = await ca(({ rotation }) => {
      said.add(`${rotation?.phase}: ${rotation?.message}`)
      return ['succeeded', 'failed', 'aborted'].includes(rotation?.phase ?? '')
    })
    expect([...said].join('\n')).toMatch(/renewing: .*Its log cannot be read: .*node-1/)
    expect([...said].join('\n')).toMatch(/succeeded: .*Every Pod with a proxy showed a certificate of the new signer/)
    for (const version of ['v1', 'v2']) {
      const leaf = await showsItsOwn(version)
      expect(leaf.issuer).not.toBe(before.current?.signer.subject.split(', ').join('\n'))
    }
    measured(`leaves: ${after.rotation?.phase} after ${((performance.now() - began) / 1000).toFixed(0)} s, TTL ${TTL}`)
  }, 240_000)

  /** What the company that made the first CA makes of a CSR: PEM, the intermediate first. */
  function signed(csr: string): string {
    const folder = mesh.istiod.authorityDir
    const args = ['-CA', 'root-cert.pem', '-CAkey', 'root-key.pem', '-CAcreateserial', '-days', '300']
    const options = { cwd: folder, input: csr, encoding: 'utf8' } as const
    const made = execFileSync(parts.openssl, ['x509', '-req', ...args, '-extfile', 'extensions'], options)
    return made + readCa(folder)['root-cert']
  }

  /** What a handshake with the Pod of a version gives is what its Envoy has. */
  async function showsItsOwn(version: string): Promise<X509Certificate> {
    const pod = mesh.pods.find(({ name }) => name === `${mesh.service}-${version}`)
    if (!pod) throw new Error(`there is no Pod of ${version}`)
    return until(`${pod.name} shows its own leaf`, 20_000, async () => {
      const shown = new X509Certificate((await handshakes.leaf(pod.address, POD_PORT)) ?? 'none')
      // It may renew in between.
      const { leaf } = await sidecarCertificates(pod)
      expect(shown.raw.equals(leaf.raw)).toBe(true)
      expect(shown.subjectAltName).toContain(`/ns/${pod.namespace}/sa/${pod.serviceAccount}`)
      return shown
    })
  }

  async function ca(wanted: (seen: CaAnswer) => boolean): Promise<CaAnswer> {
    return until('the CA is as wanted', 230_000, async () => {
      const seen = await product.must<CaAnswer>('viewer', 'GET', '/certificates/real-ca')
      if (wanted(seen)) return seen
      throw new Error(JSON.stringify(seen))
    })
  }
})

interface CaAnswer {
  readonly current?: { readonly signer: { readonly subject: string } }
  readonly rotation?: { readonly phase: string; readonly message: string; readonly csr?: string }
}
