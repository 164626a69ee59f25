import { X509Certificate } from 'node:crypto'
import { pem } from '../../../src/sandbox/emulators/key-vault/pem.ts'
import type { CertificateRecord } from '../../../src/sandbox/emulators/key-vault/records.ts'
import { signRequest } from '../../../src/sandbox/emulators/key-vault/x509.ts'
import { SANDBOX_VAULT } from '../../../src/sandbox/sandbox-vault.ts'
import { bodyText } from '../../../src/sandbox/transports/wire.ts'
import { tokenFor } from '../app-tokens.ts'

import type { Simulation } from '../simulation.ts'
import { VAULT_AUDIENCE } from '../vault-side.ts'

/** What people do in the vault past Meshwright, and the CA outside of it. */
export interface VaultHands {
  /** The certificate as the vault keeps it; undefined: it has none of the name. */
  record(name: string): CertificateRecord | undefined
  /** Begins a version, as a click in the portal does. */
  create(name: string): Promise<boolean>
  /** Deletes the certificate; the vault keeps what it deletes for a while. */
  remove(name: string): Promise<boolean>
  /** Takes a deletion back. */
  recover(name: string): Promise<boolean>
  /** Enables every version. */
  enableAll(name: string): Promise<void>
  /** Takes the pending operation away. */
  cancel(name: string): Promise<boolean>
  /** Enables or disables the newest version. */
  enable(name: string, enabled: boolean): Promise<boolean>
  /** What a CA makes of a CSR (PEM): the chain, leaf first. */
  sign(csr: string): Promise<string>
}

const DAY_MS = 86_400_000

export function createVaultHands({ surroundings, trace, time, chance, ring }: Simulation): VaultHands {
  const host = new URL(SANDBOX_VAULT).host
  const record = (name: string) =>
    surroundings.storage.table('key-vault-certificates').get(`${host}/${name}`) as CertificateRecord | undefined
  const call = async (method: string, path: string, body?: object): Promise<boolean> => {
    const answer = await surroundings.azure?.keyVault.handle({
      method,
      url: new URL(`${SANDBOX_VAULT}/${path}?api-version=7.4`),
      headers: {
        authorization: `Bearer ${tokenFor(VAULT_AUDIENCE, time.now())}`,
        'content-type': 'application/json',
      },
      body: new TextEncoder().encode(body === undefined ? '' : JSON.stringify(body)),
    })
    const code = answer && answer.status >= 300 ? bodyText(answer).slice(0, 120) : ''
    trace.add(`hands vault ${method} ${path} ${answer?.status} ${code}`)
    return answer !== undefined && answer.status < 300
  }
  return {
    record,
    create: async (name) => (record(name) ? call('POST', `certificates/${name}/create`, {}) : false),
    remove: (name) => call('DELETE', `certificates/${name}`),
    recover: (name) => call('POST', `deletedcertificates/${name}/recover`),
    async enableAll(name) {
      for (const { id, enabled } of record(name)?.versions ?? []) {
        if (!enabled) await call('PATCH', `certificates/${name}/${id}`, { attributes: { enabled: true } })
      }
    },
    cancel: (name) => call('DELETE', `certificates/${name}/pending`),
    async enable(name, enabled) {
      const newest = record(name)?.versions.at(-1)
      return newest ? call('PATCH', `certificates/${name}/${newest.id}`, { attributes: { enabled } }) : false
    },
    async sign(csr) {
      const { intermediate, root } = ring.authority
      const notBefore = time.now() - (time.now() % 1000)
      const serial = `7${Array.from({ length: 15 }, () => Math.floor(chance.next() * 16).toString(16)).join('')}`
      const base64 = csr.replaceAll(/-----[A-Z ]+-----|\s/g, '')
      const leaf = await signRequest(base64, intermediate, { notBefore, notAfter: notBefore + 90 * DAY_MS, serial })
      return [leaf, intermediate.der, root.der].map((der) => pem('CERTIFICATE', der)).join('')
    },
  }
}

/** The serial of a version, as Meshwright writes it. */
export function serialOf(der: string): string {
  return new X509Certificate(Buffer.from(der, 'base64')).serialNumber.toLowerCase().replace(/^0+(?=.)/, '')
}
