import type { KubeObject } from '../../model/kube.ts'
import type { Policy } from '../../model/policy/policy.ts'
import type { TokenIssuer } from '../../model/policy/security.ts'
import type { RenderInput } from '../provider.ts'
import { PEER_AUTHENTICATION, REQUEST_AUTHENTICATION } from './names.ts'
import { partObject, selectorOf } from './workload-object.ts'

type Fields = Readonly<Record<string, unknown>>

const MTLS = { strict: 'STRICT', permissive: 'PERMISSIVE', disabled: 'DISABLE' } as const

/** How strictly callers must come by mutual TLS. */
export function peerAuthentication(input: RenderInput): KubeObject | undefined {
  const mtls = input.policy.security?.mtls
  if (!mtls) return undefined
  return partObject(input, PEER_AUTHENTICATION, undefined, { ...selectorOf(input), mtls: { mode: MTLS[mtls] } })
}

/** Whose tokens are taken. Those that have none pass; `authorizationPolicies` says whether they may. */
export function requestAuthentication(input: RenderInput): KubeObject | undefined {
  const authentication = input.policy.security?.authentication
  if (!authentication) return undefined
  const words = asksForScopes(input.policy) ? { spaceDelimitedClaims: [SCOPES] } : {}
  const jwtRules = authentication.issuers.map((issuer) => ({ ...jwtRule(issuer), ...words }))
  return partObject(input, REQUEST_AUTHENTICATION, undefined, { ...selectorOf(input), jwtRules })
}

/**
 * Entra ID writes all scopes of a token into one text, parted by spaces. Istio reads `scope` and `permission` so by itself;
 * this one from 1.28 on, when it is told to. Before, a rule about one scope would not fit a token with two.
 */
export const SCOPES = 'scp'

/** Does a rule ask for scopes by the name that Entra ID has for them? */
function asksForScopes({ security }: Policy): boolean {
  const { allow = [], deny = [] } = security?.authorization ?? {}
  return [...allow, ...deny].some(({ claims }) => claims !== undefined && Object.hasOwn(claims, SCOPES))
}

/** What stands as `iss` in an issuer's tokens. */
export function issuerName(issuer: TokenIssuer): string {
  return 'entra' in issuer ? `${tenantUrl(issuer.entra)}/v2.0` : issuer.issuer
}

function tenantUrl({ tenant }: { readonly tenant: string }): string {
  return `https://login.microsoftonline.com/${tenant.toLowerCase()}`
}

function jwtRule(issuer: TokenIssuer): Fields {
  const isEntra = 'entra' in issuer
  const { audiences, forwardToken } = isEntra ? issuer.entra : issuer
  return {
    issuer: issuerName(issuer),
    audiences,
    jwksUri: isEntra ? `${tenantUrl(issuer.entra)}/discovery/v2.0/keys` : issuer.jwksUri,
    ...(forwardToken ? { forwardOriginalToken: true } : {}),
  }
}
