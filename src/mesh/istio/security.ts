import type { KubeObject } from '../../model/kube.ts'
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
  const jwtRules = authentication.issuers.map(jwtRule)
  return partObject(input, REQUEST_AUTHENTICATION, undefined, { ...selectorOf(input), jwtRules })
}

function jwtRule(issuer: TokenIssuer): Fields {
  if (!('entra' in issuer)) {
    const { issuer: name, jwksUri, audiences, forwardToken } = issuer
    return { issuer: name, audiences, jwksUri, ...(forwardToken ? { forwardOriginalToken: true } : {}) }
  }
  const tenant = issuer.entra.tenant.toLowerCase()
  return {
    issuer: `https://login.microsoftonline.com/${tenant}/v2.0`,
    audiences: issuer.entra.audiences,
    jwksUri: `https://login.microsoftonline.com/${tenant}/discovery/v2.0/keys`,
  }
}
