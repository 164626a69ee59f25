import type { AccessToken, GetTokenOptions, TokenCredential } from '@azure/core-auth'

/**
 * The app's identity in Azure: the user-assigned managed identity with `clientId`, or what DefaultAzureCredential finds.
 * The library is loaded at the first token.
 */
export function managedIdentity(clientId: string | undefined): TokenCredential {
  let credential: Promise<TokenCredential> | undefined
  return {
    async getToken(scopes: string | string[], options?: GetTokenOptions): Promise<AccessToken | null> {
      credential ??= load(clientId)
      return (await credential).getToken(scopes, options)
    },
  }
}

async function load(clientId: string | undefined): Promise<TokenCredential> {
  const { DefaultAzureCredential, ManagedIdentityCredential } = await import('@azure/identity')
  return clientId === undefined ? new DefaultAzureCredential() : new ManagedIdentityCredential({ clientId })
}
