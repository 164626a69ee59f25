import type { EmulatorRequest } from '../emulator.ts'
import { VaultError } from './errors.ts'
import type { KeyVaultOptions } from './options.ts'

/** Versions of the REST API that this emulator knows. */
const VERSIONS = ['7.4', '7.5', '7.6', '2025-07-01', '2026-04-01']

/**
 * Challenge authentication: a call without a good token is told where to get one and for what. Throws the 401.
 * Protocol: learn.microsoft.com/azure/key-vault/general/authentication-requests-and-responses
 */
export async function authenticate(request: EmulatorRequest, options: KeyVaultOptions): Promise<void> {
  const { tenantId, checkToken } = options
  const challenge = `Bearer authorization="https://login.microsoftonline.com/${tenantId}", resource="https://vault.azure.net"`
  const headers = { 'www-authenticate': challenge }
  const [scheme, token = ''] = (request.headers.authorization ?? '').split(' ', 2)
  if (scheme?.toLowerCase() !== 'bearer')
    throw new VaultError(401, 'Unauthorized', 'AKV10000: Request is missing a Bearer or PoP token.', { headers })
  if (await checkToken(token)) return
  const message =
    'AKV10022: Invalid audience or token. Expected https://vault.azure.net, of this tenant, signed and in time.'
  throw new VaultError(401, 'Unauthorized', message, { headers })
}

/** Throws a 400 for a call without a version of the API, or with one that is not known. */
export function checkVersion(query: URLSearchParams): void {
  const version = query.get('api-version')
  if (version === null) throw new VaultError(400, 'BadParameter', 'api-version must be specified')
  if (VERSIONS.includes(version)) return
  const message = `The specified version (${version}) is not recognized. Consider using the latest supported version (2025-07-01).`
  throw new VaultError(400, 'BadParameter', message)
}
