import 'reflect-metadata'
import { BasicConstraintsExtension, SubjectAlternativeNameExtension, X509CertificateGenerator } from '@peculiar/x509'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { kubernetesClusters } from '../../../src/adapters/kubernetes/cluster-apis.ts'
import { systemClock } from '../../../src/adapters/system-clock.ts'
import { clusterSpec } from '../../../src/model/cluster.ts'
import { type Served, serve } from '../../../src/sandbox/emulators/serve.ts'
import { armIdOf, someFacts } from '../fakes/fake-managed-clusters.ts'

/** The CA that Azure names, and nothing else, vouches for the API server: over real sockets. */

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const from = new Date(Date.now() - 60_000)
const until = new Date(Date.now() + 3_600_000)

interface Authority {
  readonly keys: Awaited<ReturnType<typeof newKeys>>
  readonly pem: string
}

let right: Authority
let wrong: Authority
let served: Served
const tokens: (string | undefined)[] = []

beforeAll(async () => {
  ;[right, wrong] = await Promise.all([authority('CN=right'), authority('CN=wrong')])
  const keys = await newKeys()
  const certificate = await X509CertificateGenerator.create({
    subject: 'CN=api',
    issuer: 'CN=right',
    notBefore: from,
    notAfter: until,
    publicKey: keys.publicKey,
    signingKey: right.keys.privateKey,
    signingAlgorithm: ALGORITHM,
    extensions: [new SubjectAlternativeNameExtension([{ type: 'ip', value: '127.0.0.1' }])],
  })
  const pkcs8 = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')
  const key = `-----BEGIN ${'PRIVATE'} KEY-----\n${pkcs8}\n-----END ${'PRIVATE'} KEY-----\n`
  const answer = { status: 200, headers: { 'content-type': 'application/json' }, body: '{"gitVersion":"v1.34.2"}' }
  const emulator = async ({ headers }: { readonly headers: Readonly<Record<string, string>> }) => {
    tokens.push(headers.authorization)
    return answer
  }
  served = await serve(emulator, { port: 0, tls: { key, cert: certificate.toString('pem') } })
})
afterAll(() => served.close())

function newKeys() {
  return crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
}

async function authority(name: string): Promise<Authority> {
  const keys = await newKeys()
  const extensions = [new BasicConstraintsExtension(true, undefined, true)]
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name,
    notBefore: from,
    notAfter: until,
    keys,
    signingAlgorithm: ALGORITHM,
    extensions,
  })
  return { keys, pem: certificate.toString('pem') }
}

function connect({ pem }: Authority) {
  const caData = Buffer.from(pem).toString('base64')
  const managed = { facts: async () => someFacts(), endpoint: async () => ({ server: served.url, caData }) }
  const credential = { getToken: async () => ({ token: 'a-token', expiresOnTimestamp: Date.now() + 3_600_000 }) }
  const clusters = kubernetesClusters({ aks: { managed, credential, emulated: true } }, systemClock())
  return clusters.connect({ name: 'east', spec: clusterSpec.parse({ resourceId: armIdOf('east') }) })
}

describe('the API server of an AKS cluster', () => {
  it('is believed when the CA that Azure names has signed its certificate', async () => {
    expect(await (await connect(right)).version()).toBe('v1.34.2')
    expect(tokens.splice(0)).toEqual(['Bearer a-token'])
  })

  it('is not believed otherwise, and sees no token', async () => {
    const api = await connect(wrong)
    await expect(api.version()).rejects.toMatchObject({ kind: 'unavailable', reason: 'Certificate' })
    expect(tokens).toEqual([])
  })
})
