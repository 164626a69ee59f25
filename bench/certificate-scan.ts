import { putCertificate } from '../src/certificates/put-certificate.ts'
import { scanCertificates } from '../src/certificates/scan-certificates.ts'
import { certificateSpec } from '../src/model/certificate.ts'
import type { CertificateDocument } from '../src/model/documents.ts'
import type { WorkMessage } from '../src/model/outbox.ts'
import { Records } from '../src/sandbox/emulators/key-vault/records.ts'
import { memoryStorage } from '../src/sandbox/storage.ts'
import { emulatedVault, VAULT_URL } from '../test/contract/key-vault/emulated-vault.ts'
import { aCaller, by } from '../test/unit/fakes/documents.ts'
import { MemoryStore } from '../test/unit/fakes/memory-store.ts'
import type { Figure } from './figure.ts'

const CERTIFICATES = 10_000
/** One in so many has a version that another hand made. */
const CHANGED_EVERY = 1000

/** A scan of ten thousand certificates of one vault, of which ten have a version that another hand made. */
export async function certificateScan(): Promise<readonly Figure[]> {
  const storage = memoryStorage()
  const vault = await emulatedVault({ storage, limits: { creations: 1e6, others: 1e6 } })
  const store = new MemoryStore()
  const sent: WorkMessage[] = []
  const deps = { store, clock: vault.clock, vaults: vault.vaults, vaultUrl: VAULT_URL }
  const queue = { send: async (_queue: string, message: WorkMessage) => void sent.push(message) }
  const { rotation: _requested, ...document } = await oneCertificate(deps)
  store.drop('certificate', document.name)
  await vault.vaults.open(VAULT_URL).create(document.name, POLICY, {})
  await vault.pass(5000)
  const current = await vault.vaults.open(VAULT_URL).version(document.name)
  if (!current) throw new Error('the vault made no certificate')
  const records = new Records(storage)
  const [, first] = [...records.everyCertificate()][0] ?? []
  const record = records.certificate(new URL(VAULT_URL).hostname, document.name)
  if (!record || !first) throw new Error('the vault keeps no certificate')
  for (let index = 0; index < CERTIFICATES; index += 1) {
    const name = `cert-${index}`
    const changed =
      index % CHANGED_EVERY === 0 && first.newest ? { newest: { ...first.newest, exp: 4_000_000_000 } } : {}
    records.putCertificate(new URL(VAULT_URL).hostname, { ...record, name }, { ...first, ...changed, name })
    store.put({ ...document, name, current, outbox: [], dueAt: '2099-01-01T00:00:00.000Z' })
  }
  records.dropCertificate(new URL(VAULT_URL).hostname, document.name)
  vault.exchanges.splice(0)
  let vaultMs = 0
  vault.wire = async (_request, deliver) => {
    const askedMs = performance.now()
    const answer = await deliver()
    vaultMs += performance.now() - askedMs
    return answer
  }
  const startedMs = performance.now()
  const outcome = await scanCertificates({ ...deps, queue })
  const seconds = (performance.now() - startedMs - vaultMs) / 1000
  const lists = Math.ceil(CERTIFICATES / 1000)
  return [
    {
      name: `scan of ${CERTIFICATES} certificates, vault`,
      value: vault.exchanges.length,
      unit: 'requests',
      note: `${outcome.pages} pages; the vault gives 25 a page`,
    },
    {
      name: `scan of ${CERTIFICATES} certificates, store`,
      value: lists,
      unit: 'requests',
      note: '1,000 documents each',
    },
    {
      name: `scan of ${CERTIFICATES} certificates`,
      value: seconds,
      unit: 's',
      note: `our own time, without the vault's; ${outcome.queued} of them are to be looked at`,
    },
  ]
}

const POLICY = {
  issuer: { kind: 'self' },
  dnsNames: ['web.example.com'],
  validityMonths: 12,
  key: { type: 'EC', curve: 'P-256' },
} as const

async function oneCertificate(deps: Parameters<typeof putCertificate>[0]): Promise<CertificateDocument> {
  const spec = certificateSpec.parse({
    purpose: 'gateway-tls',
    dnsNames: ['web.example.com'],
    clusters: [],
    secret: { namespace: 'ingress', name: 'web-tls' },
    issuer: { kind: 'self' },
  })
  const put = await putCertificate(deps, 'cert', spec, by({ caller: aCaller({ roles: ['Mesh.Operator'] }) }))
  if (!put.ok) throw new Error(put.failure.detail)
  return put.value.document
}
