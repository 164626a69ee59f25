import type { SecretClient, SecretProperties } from '@azure/keyvault-secrets'
import type { SecretVersion, VaultSecrets } from '../../ports/vault-secrets.ts'
import { type Ask, orNone } from './ask-vault.ts'
import { silently } from './vault-failure.ts'

/** The secrets of one vault. */
export function keyVaultSecrets(ask: Ask<SecretClient>): VaultSecrets {
  return {
    setSecret: (name, value, { contentType, tags, notAfter }) =>
      ask(async (secrets, abortSignal) => {
        const options = {
          abortSignal,
          ...(contentType === undefined ? {} : { contentType }),
          ...(tags === undefined ? {} : { tags: { ...tags } }),
          ...(notAfter === undefined ? {} : { expiresOn: new Date(notAfter) }),
        }
        const { properties } = await silently(secrets.setSecret(name, value, options))
        return properties.version ?? ''
      }),
    secretVersions: (name) =>
      ask(async (secrets, abortSignal) => {
        const found: SecretVersion[] = []
        for await (const one of secrets.listPropertiesOfSecretVersions(name, { abortSignal }))
          found.push(versionOf(one))
        return found.sort((a, b) => a.createdAt.localeCompare(b.createdAt) || a.version.localeCompare(b.version))
      }),
    readSecret: (name, version) =>
      orNone(
        ask(async (secrets, abortSignal) => {
          const options = version === undefined ? { abortSignal } : { abortSignal, version }
          const { value = '', properties } = await secrets.getSecret(name, options)
          return { value, ...versionOf(properties) }
        }),
      ),
  }
}

function versionOf({
  version = '',
  enabled,
  tags,
  contentType,
  expiresOn,
  createdOn,
}: SecretProperties): SecretVersion {
  return {
    version,
    enabled: enabled ?? true,
    tags: tags ?? {},
    createdAt: (createdOn ?? new Date(0)).toISOString(),
    ...(contentType === undefined ? {} : { contentType }),
    ...(expiresOn === undefined ? {} : { notAfter: expiresOn.toISOString() }),
  }
}
