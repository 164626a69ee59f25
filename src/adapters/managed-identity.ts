import type { AccessToken, GetTokenOptions, TokenCredential } from '@azure/core-auth'
import { once } from './once.ts'

/**
 * The app's identity in Azure: the user-assigned managed identity with `clientId`, or what DefaultAzureCredential finds.
 * The library is loaded at the first token.
 */
export function managedIdentity(clientId: string | undefined): TokenCredential {
  const credential = once(() => load(clientId))
  return {
    async getToken(scopes: string | string[], options?: GetTokenOptions): Promise<AccessToken | null> {
      return (await credential()).getToken(scopes, options)
    },
  }
}

async function load(clientId: string | undefined): Promise<TokenCredential> {
  const { DefaultAzureCredential, ManagedIdentityCredential } = await import('@azure/identity')
  return clientId === undefined ? new DefaultAzureCredential() : new ManagedIdentityCredential({ clientId })
}
