import type { CertificateProperties, KeyVaultCertificate } from '@azure/keyvault-certificates'
import type { Clock } from '../../ports/clock.ts'
import { PortError } from '../../ports/port-error.ts'
import type { Vault, VaultListing, VaultVersion } from '../../ports/vault.ts'
import { type Ask, askVault, orNone } from './ask-vault.ts'
import { certificateParts, certificatesOf } from './certificate-parts.ts'
import type { VaultClients } from './key-vaults.ts'
import { readOperation } from './read-operation.ts'
import { certificatePolicy } from './vault-policy.ts'

/** One vault. `system` names it in errors. */
export function keyVault(system: string, clients: () => Promise<VaultClients>, clock: Clock): Vault {
  const ask = askVault(system, clients, clock)
  return { ...readers(ask, system), ...makers(ask, system), list: () => listPages(ask) }
}

function readers(ask: Ask<VaultClients>, system: string): Pick<Vault, 'version' | 'versions' | 'secret'> {
  return {
    version: (name, version) =>
      orNone(
        ask(async ({ certificates }, abortSignal) => {
          const options = { abortSignal }
          return versionOf(
            system,
            version === undefined
              ? await certificates.getCertificate(name, options)
              : await certificates.getCertificateVersion(name, version, options),
          )
        }),
      ),
    versions: (name) =>
      ask(async ({ certificates }, abortSignal) => {
        const found: CertificateProperties[] = []
        for await (const one of certificates.listPropertiesOfCertificateVersions(name, { abortSignal })) found.push(one)
        return found.sort(byAge).map(({ version = '', tags = {} }) => ({ version, tags }))
      }),
    secret: (name, version) =>
      ask(async ({ secrets }, abortSignal) => {
        const options = version === undefined ? { abortSignal } : { abortSignal, version }
        const { value = '', properties } = await secrets.getSecret(name, options)
        const { contentType } = properties
        return { value, ...(contentType === undefined ? {} : { contentType }) }
      }),
  }
}

function makers(
  ask: Ask<VaultClients>,
  system: string,
): Pick<Vault, 'create' | 'operation' | 'dropOperation' | 'merge'> {
  return {
    create: (name, policy, tags) =>
      ask(async ({ certificates }, late) => {
        // Once the vault has taken it, the SDK would ask how far it is: that is stopped before it is sent.
        const taken = new AbortController()
        const onResponse = ({ request, status }: Answer): void => {
          if (request.method === 'POST' && status === 202) taken.abort()
        }
        const abortSignal = AbortSignal.any([late, taken.signal])
        const options = { tags: { ...tags }, enabled: true, abortSignal, onResponse }
        try {
          await certificates.beginCreateCertificate(name, certificatePolicy(policy), options)
        } catch (error) {
          if (!taken.signal.aborted) throw error
        }
      }),
    operation: (name) =>
      orNone(ask(({ certificates }, abortSignal) => readOperation(certificates, system, name, abortSignal))),
    dropOperation: async (name) => {
      await orNone(
        ask(({ certificates }, abortSignal) => certificates.deleteCertificateOperation(name, { abortSignal })),
      )
    },
    merge: (name, chain) =>
      ask(async ({ certificates }, abortSignal) => {
        const all = certificatesOf(chain)
        if (all.length === 0)
          throw new PortError('invalid', system, 'the chain holds no certificate', { reason: 'NoCertificate' })
        await certificates.mergeCertificate(name, [...all], { abortSignal })
      }),
  }
}

async function* listPages(ask: Ask<VaultClients>): AsyncGenerator<readonly VaultListing[]> {
  const pages = await ask(async ({ certificates }) =>
    certificates.listPropertiesOfCertificates({ includePending: true }).byPage(),
  )
  for (;;) {
    const next = await ask(() => pages.next())
    if (next.done) return
    yield next.value.map(listingOf)
  }
}

/** What the SDK tells of an answer while it is still at work. */
interface Answer {
  readonly request: { readonly method: string }
  readonly status: number
}

/** Undefined while the first version is pending: then there is no certificate in the answer. */
function versionOf(system: string, { cer, properties }: KeyVaultCertificate): VaultVersion | undefined {
  if (cer === undefined || cer.length === 0) return undefined
  const { version = '', enabled = false, createdOn, tags = {} } = properties
  return {
    ...parts(system, cer),
    version,
    enabled,
    createdAt: (createdOn ?? new Date(0)).toISOString(),
    tags,
  }
}

function parts(system: string, der: Uint8Array): ReturnType<typeof certificateParts> {
  try {
    return certificateParts(der)
  } catch {
    throw new PortError('unavailable', system, `${system} gave a certificate that cannot be read`, {
      reason: 'BrokenCertificate',
    })
  }
}

function listingOf({ name = '', expiresOn, enabled = false }: CertificateProperties): VaultListing {
  return { name, enabled, ...(expiresOn === undefined ? {} : { notAfter: expiresOn.toISOString() }) }
}

/** Oldest first; within a second, in which the vault counts, by version. */
function byAge(a: CertificateProperties, b: CertificateProperties): number {
  const [first, second] = [a.createdOn?.getTime() ?? 0, b.createdOn?.getTime() ?? 0]
  return first - second || (a.version ?? '').localeCompare(b.version ?? '', 'en')
}
