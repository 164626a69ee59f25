import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type ApiServer, startApiServer } from './parts/api-server.ts'
import { describeReal } from './parts/describe-real.ts'
import { type Gateway, startGateway } from './parts/gateway.ts'
import { measured } from './parts/measured.ts'
import { type Mesh, startMesh } from './parts/mesh.ts'
import { object } from './parts/mesh-objects.ts'
import { type Product, startProduct } from './parts/product.ts'
import { scratchFolder } from './parts/scratch.ts'
import { connectOnce, type TlsAnswer, wentBack } from './parts/tls-traffic.ts'
import { type Load, startLoad } from './parts/traffic.ts'
import { until } from './parts/wait.ts'

const PER_SECOND = 50

/** A gateway of a real mesh, fed by a real istiod from the Secret that its Gateway names, under a steady load of new connections. */
describeReal('the certificate of a real gateway', 'mesh', (parts) => {
  const dir = scratchFolder()
  let api: ApiServer
  let mesh: Mesh
  let gateway: Gateway
  let product: Product
  let load: Load<TlsAnswer> | undefined

  beforeAll(async () => {
    api = await startApiServer({ parts, dir: `${dir}/api`, crds: [parts.istioCrds] })
    mesh = await startMesh({ parts, dir: `${dir}/mesh`, api, versions: ['v1'] })
    gateway = await startGateway({ parts, dir: `${dir}/gateway`, api, mesh })
  })

  afterAll(async () => {
    await load?.stop()
    await product?.kill()
    await gateway?.stop()
    await mesh?.stop()
    await api?.stop()
  })

  /** A self-signed certificate in a Secret, as a person would make it. Resolves with its serial. */
  async function applyByHand(generation: number): Promise<string> {
    const [key, certificate] = [`${dir}/hand-${generation}.key`, `${dir}/hand-${generation}.crt`]
    const what = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '30']
    const names = ['-subj', `/CN=${gateway.host}`, '-addext', `subjectAltName=DNS:${gateway.host}`]
    execFileSync(parts.openssl, ['req', '-x509', ...what, ...names, '-keyout', key, '-out', certificate], {
      stdio: 'pipe',
    })
    const data = { 'tls.crt': base64(certificate), 'tls.key': base64(key) }
    const { namespace, name } = gateway.secret
    await api.admin.apply([object('v1', 'Secret', namespace, name, { type: 'kubernetes.io/tls', data })])
    const shown = execFileSync(parts.openssl, ['x509', '-noout', '-serial', '-in', certificate], { encoding: 'utf8' })
    return shown.trim().replace('serial=', '').toLowerCase().replace(/^0+/, '')
  }

  async function shows(serial: string): Promise<TlsAnswer> {
    return until(`the gateway shows ${serial}`, 60_000, async () => {
      gateway.assertAlive()
      const answer = await connectOnce(gateway)
      if (answer.status === 200 && answer.serial === serial) return answer
      throw new Error(JSON.stringify(answer))
    })
  }

  it('is that of its Secret, and changes under load with it: the harness tells the truth', async () => {
    const old = await applyByHand(1)
    await shows(old)
    startSteadyLoad()
    await loadHasSeen(old)
    const next = await applyByHand(2)
    await loadHasSeen(next)
    expectOneChange(await stopLoad(), old, next)
  })

  it('is not taken from the one who put it there', async () => {
    product = await startProduct({ dir: `${dir}/product`, clusters: [api] })
    await product.must('operator', 'PUT', '/clusters/real', { kubeconfig: { context: api.context } })
    const { secret, host } = gateway
    const spec = { purpose: 'gateway-tls', dnsNames: [host], clusters: ['real'], secret, issuer: { kind: 'self' } }
    await product.must('operator', 'PUT', '/certificates/web-tls', { ...spec, validityMonths: 3 })
    const before = await heldSerial()
    const { message } = await delivery(({ state, reason }) => state === 'held' && reason === 'Conflict')
    expect(message).toContain('harness')
    expect(await heldSerial()).toBe(before)
  })

  it('is that of Meshwright, once nobody else holds the Secret, and a handshake proves it', async () => {
    await api.admin.remove(object('v1', 'Secret', gateway.secret.namespace, gateway.secret.name))
    const { held, shown } = await delivery(({ state, wanted, shown }) => state === 'delivered' && shown === wanted)
    const { phase, serial } = await certificate(({ phase }) => phase === 'succeeded')
    expect({ phase, held, shown }).toEqual({ phase: 'succeeded', held: serial, shown: serial })
    expect((await connectOnce(gateway)).serial).toBe(serial)
  })

  it('is rotated under load: no connection fails, and new ones see the new serial, once and for good', async () => {
    for (const round of [1, 2, 3]) await rotateUnderLoad(`rotation ${round}`, async () => undefined)
  })

  it('is rotated though Meshwright is killed on the way', async () => {
    await rotateUnderLoad('rotation with a kill -9', async (id) => {
      await certificate(({ rotation }) => rotation?.id === id && rotation.phase === 'delivering')
      await product.kill()
      await product.startAgain()
    })
  })

  it('has a key that is nowhere in the log, the events or the answers', async () => {
    const { data } = (await api.admin.get(secretRef())) as unknown as {
      readonly data: Readonly<Record<string, string>>
    }
    const key = Buffer.from(data['tls.key'] ?? '', 'base64').toString()
    const lines = key.split('\n').filter((line) => line.length > 30 && !line.startsWith('-----'))
    expect(lines.length).toBeGreaterThan(5)
    const answers = ['/certificates/web-tls', '/certificates/web-tls/deliveries', '/events?limit=1000']
    const texts = await Promise.all(
      answers.map(async (path) => JSON.stringify(await product.must('admin', 'GET', path))),
    )
    const said = [...texts, product.log()].join('\n')
    expect(said).toContain('certificate.delivered')
    for (const line of [...lines, (data['tls.key'] ?? '').slice(40, 120)]) expect(said).not.toContain(line)
  })

  /** One rotation with a steady load from before it to after it. `meanwhile` is told the rotation's id once it has begun. */
  async function rotateUnderLoad(title: string, meanwhile: (rotation: string) => Promise<void>): Promise<void> {
    const { serial: old } = await certificate(({ phase }) => phase === 'succeeded')
    startSteadyLoad()
    await until('the load runs', 10_000, () => (load?.answers.length ?? 0) >= PER_SECOND)
    const began = performance.now()
    const asked = await product.must<CertificateAnswer>('operator', 'POST', '/certificates/web-tls/rotate')
    await meanwhile(asked.rotation?.id ?? '')
    const { serial } = await certificate(({ phase, serial }) => phase === 'succeeded' && serial !== old)
    const provenMs = performance.now() - began
    const after = load?.answers.length ?? 0
    await until('the load has gone on', 20_000, () => (load?.answers.length ?? 0) >= after + 2 * PER_SECOND)
    const answers = await stopLoad()
    expectOneChange(answers, old ?? '', serial ?? '')
    const shown = answers.filter((one) => one.serial === serial)
    const firstMs = Math.min(...shown.map(({ shownAt }) => shownAt)) - began
    const counts = `${answers.length} new connections, 0 failed, ${answers.length - shown.length} saw the old serial, ${shown.length} the new one`
    measured(
      `${title}: ${counts}; first new one after ${firstMs.toFixed(0)} ms, proven after ${provenMs.toFixed(0)} ms`,
    )
  }

  function startSteadyLoad(): void {
    load = startLoad(() => connectOnce(gateway), { perSecond: PER_SECOND, seconds: 600 })
  }

  async function loadHasSeen(serial: string): Promise<void> {
    await until(`the load has seen ${serial}`, 60_000, () => load?.answers.some((one) => one.serial === serial))
  }

  async function stopLoad(): Promise<readonly TlsAnswer[]> {
    const answers = (await load?.stop()) ?? []
    load = undefined
    return answers
  }

  /** No connection failed, each saw one of the two, and none that began after the new one was seen saw the old one. */
  function expectOneChange(answers: readonly TlsAnswer[], old: string, next: string): void {
    expect(next).not.toBe(old)
    expect(answers.filter(({ status }) => status !== 200)).toEqual([])
    expect(new Set(answers.map(({ serial }) => serial))).toEqual(new Set([old, next]))
    expect(wentBack(answers, old, next)).toEqual([])
  }

  function secretRef() {
    return object('v1', 'Secret', gateway.secret.namespace, gateway.secret.name)
  }

  async function heldSerial(): Promise<string> {
    const secret = (await api.admin.get(secretRef())) as unknown as { readonly data: Readonly<Record<string, string>> }
    const { serialNumber } = new X509Certificate(Buffer.from(secret.data['tls.crt'] ?? '', 'base64'))
    return serialNumber.toLowerCase().replace(/^0+/, '')
  }

  /** The certificate, once it is as `wanted`. */
  async function certificate(wanted: (seen: CertificateAnswer) => boolean): Promise<CertificateAnswer> {
    return until('the certificate is as wanted', 120_000, async () => {
      product.assertAlive()
      const seen = await product.must<CertificateAnswer>('viewer', 'GET', '/certificates/web-tls')
      if (wanted(seen)) return seen
      throw new Error(JSON.stringify(seen))
    })
  }

  /** Its delivery to the cluster, once it is as `wanted`. */
  async function delivery(wanted: (seen: DeliveryAnswer) => boolean): Promise<DeliveryAnswer> {
    return until('the delivery is as wanted', 120_000, async () => {
      const path = '/certificates/web-tls/deliveries'
      const { value } = await product.must<{ readonly value: readonly DeliveryAnswer[] }>('viewer', 'GET', path)
      const [seen] = value
      if (seen && wanted(seen)) return seen
      throw new Error(JSON.stringify(value))
    })
  }
})

interface CertificateAnswer {
  readonly phase: string
  readonly serial: string | null
  readonly rotation?: { readonly id: string; readonly phase: string }
}

interface DeliveryAnswer {
  readonly state: string
  readonly reason: string
  readonly message: string
  readonly wanted: string | null
  readonly held?: string
  readonly shown?: string
}

function base64(path: string): string {
  return readFileSync(path).toString('base64')
}
