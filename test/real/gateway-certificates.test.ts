import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type ApiServer, startApiServer } from './parts/api-server.ts'
import { describeReal } from './parts/describe-real.ts'
import { type Gateway, startGateway } from './parts/gateway.ts'
import { type Mesh, startMesh } from './parts/mesh.ts'
import { object } from './parts/mesh-objects.ts'
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
  let load: Load<TlsAnswer> | undefined

  beforeAll(async () => {
    api = await startApiServer({ parts, dir: `${dir}/api`, crds: [parts.istioCrds] })
    mesh = await startMesh({ parts, dir: `${dir}/mesh`, api, versions: ['v1'] })
    gateway = await startGateway({ parts, dir: `${dir}/gateway`, api, mesh })
  })

  afterAll(async () => {
    await load?.stop()
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
    load = startLoad(() => connectOnce(gateway), { perSecond: PER_SECOND, seconds: 600 })
    const next = await applyByHand(2)
    await shows(next)
    const answers = await load.stop()
    expect(answers.filter(({ status }) => status !== 200)).toEqual([])
    expect(wentBack(answers, old, next)).toEqual([])
  })
})

function base64(path: string): string {
  return readFileSync(path).toString('base64')
}
