import type { TokenCredential } from '@azure/core-auth'
import { type Emulator, jsonResponse } from '../../src/sandbox/emulators/emulator.ts'
import { bodyText, callWithPatience } from '../../src/sandbox/transports/wire.ts'

/** In every token of the app's identity, and nowhere else. */
export const TOKEN_MARK = 'simulation-token-of-the-app'
const LIFETIME_MS = 3_600_000

/** A token of the app's identity for one audience, such as `https://vault.azure.net`; good for an hour from `now`. */
export function tokenFor(audience: string, now: number): string {
  return `${TOKEN_MARK}.${Buffer.from(audience).toString('base64url')}.${now + LIFETIME_MS}`
}

export function isToken(token: string, audience: string, now: number): boolean {
  const [mark, forWhat, ends] = token.split('.')
  return mark === TOKEN_MARK && forWhat === Buffer.from(audience).toString('base64url') && now < Number(ends)
}

/** Where a Function finds its identity's tokens. */
export function identityEndpoint(now: () => number): Emulator {
  return async ({ url }) => {
    const resource = url.searchParams.get('resource') ?? ''
    return jsonResponse(200, { access_token: tokenFor(resource, now()), expires_on: now() + LIFETIME_MS })
  }
}

/** The app's identity over that endpoint; throws as @azure/identity does when there is no token. */
export function credentialOver(endpoint: Emulator): TokenCredential {
  return {
    async getToken(scopes, { abortSignal } = {}) {
      const [scope = ''] = [scopes].flat()
      const url = new URL('http://identity.test/token')
      url.searchParams.set('resource', scope.replace(/\/+\.default$/, ''))
      const request = { method: 'GET', url, headers: {}, body: new Uint8Array() }
      try {
        const answer = await callWithPatience(endpoint, request, abortSignal ? { signal: abortSignal } : {})
        if (answer.status !== 200) throw new Error(`the identity's endpoint answered ${answer.status}`)
        const { access_token: token, expires_on: expiresOnTimestamp } = JSON.parse(bodyText(answer)) as {
          readonly access_token: string
          readonly expires_on: number
        }
        return { token, expiresOnTimestamp }
      } catch (error) {
        if (error instanceof Error && error.name === 'AbortError') throw error
        throw Object.assign(new Error('no token', { cause: error }), { name: 'CredentialUnavailableError' })
      }
    },
  }
}
