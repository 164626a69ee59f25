import { type Emulator, type EmulatorContext, type EmulatorResponse, jsonResponse } from '../emulator.ts'
import type { ServiceIdentity } from './entra.ts'

/** The only version of the endpoint that App Service and Functions have. */
const API_VERSION = '2019-08-01'

/**
 * The token endpoint of App Service and Functions: `GET ?resource=…&api-version=2019-08-01`, with the secret of the
 * environment variable IDENTITY_HEADER in the header `X-IDENTITY-HEADER`.
 * Protocol: learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
 */
export function managedIdentityEndpoint(
  context: EmulatorContext,
  identity: ServiceIdentity,
  issue: (resource: string) => Promise<string>,
  lifetimeS: number,
): Emulator {
  return async ({ method, url, headers }) => {
    const { searchParams } = url
    const resource = searchParams.get('resource')
    if (method !== 'GET') return refusal(405, 'Method not allowed')
    if (headers['x-identity-header'] !== identity.header) return refusal(401, 'Invalid identity header')
    if (searchParams.get('api-version') !== API_VERSION) return refusal(400, 'Unsupported api-version')
    if (!resource) return refusal(400, 'The resource is missing')
    if (!isOurs(searchParams, identity)) {
      return refusal(
        400,
        'No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId.',
      )
    }
    const expiresOn = Math.floor(context.now() / 1000) + lifetimeS
    return jsonResponse(200, {
      access_token: await issue(resource),
      expires_on: String(expiresOn),
      resource,
      token_type: 'Bearer',
      client_id: identity.clientId,
    })
  }
}

/** Names no identity, or ours. */
function isOurs(query: URLSearchParams, { clientId, objectId }: ServiceIdentity): boolean {
  const wanted = { client_id: clientId, object_id: objectId, principal_id: objectId, mi_res_id: '' }
  return Object.entries(wanted).every(([name, value]) => (query.get(name) ?? value).toLowerCase() === value)
}

function refusal(statusCode: number, message: string): EmulatorResponse {
  return jsonResponse(statusCode, { statusCode, message })
}
