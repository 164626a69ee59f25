import { beforeEach, describe, expect, it } from 'vitest'
import { certificateSpec } from '../../../../../src/model/certificate.ts'
import { keeper, providerClass } from '../../../../../src/reconcile/certificates/render.ts'
import { type Emulator, jsonResponse } from '../../../../../src/sandbox/emulators/emulator.ts'
import {
  type KubernetesEmulator,
  kubernetesEmulator,
} from '../../../../../src/sandbox/emulators/kubernetes/kubernetes-emulator.ts'
import type { SeedObject } from '../../../../../src/sandbox/emulators/kubernetes/seed.ts'
import { secretsStoreDefinitions } from '../../../../../src/sandbox/emulators/secrets-store/definitions.ts'
import { type SecretsStore, secretsStore } from '../../../../../src/sandbox/emulators/secrets-store/secrets-store.ts'
import { memoryStorage } from '../../../../../src/sandbox/storage.ts'

const POLL_MS = 120_000
const VAULT = 'https://certs.vault.azure.net'
const NAME = 'meshwright-certs-web-tls'

let now: number
let asked: string[]
/** What the vault answers, by version. */
let versions: Map<string, string>
let kubernetes: KubernetesEmulator
let store: SecretsStore

beforeEach(() => {
  now = 1_800_000_000_000
  asked = []
  versions = new Map([
    ['v1', pemOf('one')],
    ['v2', pemOf('two')],
  ])
  const context = { now: () => now, random: () => 0.5, storage: memoryStorage() }
  kubernetes = kubernetesEmulator(context, { tokens: {} })
  kubernetes.seed(secretsStoreDefinitions())
  const vault: Emulator = async ({ url, headers }) => {
    asked.push(`${headers.authorization} ${url.href}`)
    const value = versions.get(url.pathname.split('/')[3] ?? '')
    return value === undefined ? jsonResponse(404, {}) : jsonResponse(200, { value })
  }
  store = secretsStore(context, { kubernetes, vault, token: async () => 'token', name: 'east' })
})

function pemOf(name: string): string {
  const block = (label: string, text: string) => `-----BEGIN ${label}-----\n${text}\n-----END ${label}-----\n`
  return block('PRIVATE KEY', `key ${name}`) + block('CERTIFICATE', `leaf ${name}`) + block('CERTIFICATE', 'issuer')
}

/** What Meshwright writes for a version. */
function want(version: string): void {
  const id = '11111111-1111-4111-8111-111111111111'
  const spec = certificateSpec.parse({
    purpose: 'gateway-tls',
    dnsNames: ['web.example.com'],
    clusters: ['east'],
    secret: { namespace: 'gateways', name: 'web' },
    issuer: { kind: 'self' },
    delivery: 'csi',
    csi: { clientId: id, tenantId: id },
  })
  const wanted = { name: 'web-tls', spec, target: { version, serial: 'ab', revision: 1 } }
  kubernetes.seed([providerClass(wanted, VAULT), keeper(wanted)] as SeedObject[])
}

function secret() {
  const found = kubernetes.get('v1', 'Secret', 'gateways', 'web')
  const data = Object.entries((found?.data ?? {}) as Record<string, string>)
  const read = data.map(([key, text]) => [key, Buffer.from(text, 'base64').toString()])
  return found && { ...found, data: Object.fromEntries(read) as Record<string, string> }
}

function readyReplicas(): unknown {
  const status = kubernetes.get('apps/v1', 'Deployment', 'gateways', NAME)?.status
  return (status as { readonly readyReplicas?: number } | undefined)?.readyReplicas
}

describe('the emulated Secrets Store CSI driver', () => {
  it('makes the TLS Secret of the pinned version, key and chain apart, once a Pod mounts the class', async () => {
    want('v1')
    expect(secret()).toBeUndefined()
    await store.advance(POLL_MS)
    expect(asked).toEqual([`Bearer token ${VAULT}/secrets/web-tls/v1?api-version=7.4`])
    expect(secret()).toMatchObject({
      type: 'kubernetes.io/tls',
      metadata: {
        labels: { 'app.kubernetes.io/managed-by': 'meshwright', 'secrets-store.csi.k8s.io/managed': 'true' },
        annotations: { 'meshwright.io/certificate': 'web-tls' },
      },
    })
    expect(secret()?.data['tls.key']).toContain('key one')
    expect(secret()?.data['tls.key']).not.toContain('leaf')
    expect(secret()?.data['tls.crt']).toContain('leaf one')
    expect(secret()?.data['tls.crt']).toContain('issuer')
    expect(secret()?.data['tls.crt']).not.toContain('key')
    expect(readyReplicas()).toBe(1)
  })

  it('brings another version at its next look only', async () => {
    want('v1')
    await store.advance(POLL_MS)
    want('v2')
    now += POLL_MS - 1
    await store.advance(POLL_MS)
    expect(secret()?.data['tls.crt']).toContain('leaf one')
    now += 1
    await store.advance(POLL_MS)
    expect(secret()?.data['tls.crt']).toContain('leaf two')
    expect(secret()?.data['tls.key']).toContain('key two')
  })

  it('mounts nothing that the vault does not give, and tries again', async () => {
    want('v3')
    await store.advance(POLL_MS)
    expect(secret()).toBeUndefined()
    expect(readyReplicas()).toBeUndefined()
    versions.set('v3', pemOf('three'))
    now += 1000
    await store.advance(POLL_MS)
    expect(secret()?.data['tls.crt']).toContain('leaf three')
    expect(readyReplicas()).toBe(1)
  })

  it('takes its Secret away with the last Pod, and no other', async () => {
    want('v1')
    kubernetes.seed([{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'mine', namespace: 'gateways' } }])
    await store.advance(POLL_MS)
    kubernetes.remove('apps/v1', 'Deployment', 'gateways', NAME)
    await store.advance(POLL_MS)
    expect(secret()).toBeUndefined()
    expect(kubernetes.get('v1', 'Secret', 'gateways', 'mine')).toBeDefined()
  })

  it('leaves a Secret that it did not make', async () => {
    kubernetes.seed([
      { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'web', namespace: 'gateways' }, data: { a: 'eA==' } },
    ])
    want('v1')
    await store.advance(POLL_MS)
    expect(secret()?.data).toEqual({ a: 'x' })
  })

  it('makes nothing of a class that the provider could not read', async () => {
    want('v1')
    const live = kubernetes.get('secrets-store.csi.x-k8s.io/v1', 'SecretProviderClass', 'gateways', NAME)
    kubernetes.seed([{ ...live, spec: { provider: 'aws' } } as SeedObject])
    await store.advance(POLL_MS)
    expect(asked).toEqual([])
    expect(secret()).toBeUndefined()
  })
})
