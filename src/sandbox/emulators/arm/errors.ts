import { type EmulatorResponse, jsonResponse } from '../emulator.ts'

/** A request that Azure Resource Manager does not carry out, in its own words. */
export class ArmError extends Error {
  override readonly name = 'ArmError'
  readonly status: number
  readonly code: string
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, code: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message)
    this.status = status
    this.code = code
    this.headers = headers
  }
}

/** The envelope of the Resource Provider Contract: `{ "error": { "code", "message" } }`. */
export function errorResponse({ status, code, message, headers }: ArmError): EmulatorResponse {
  const serverHeaders = { 'x-ms-failure-cause': 'gateway', ...headers }
  return jsonResponse(status, { error: { code, message } }, serverHeaders)
}

export function clusterNotFound(name: string, resourceGroup: string): ArmError {
  const resource = `The Resource 'Microsoft.ContainerService/managedClusters/${name}' under resource group '${resourceGroup}'`
  const help = 'For more details please go to https://aka.ms/ARMResourceNotFoundFix'
  return new ArmError(404, 'ResourceNotFound', `${resource} was not found. ${help}`)
}

export function groupNotFound(resourceGroup: string): ArmError {
  return new ArmError(404, 'ResourceGroupNotFound', `Resource group '${resourceGroup}' could not be found.`)
}

export function subscriptionNotFound(subscription: string): ArmError {
  return new ArmError(404, 'SubscriptionNotFound', `The subscription '${subscription}' could not be found.`)
}

export function unauthenticated(message: string, code: string): ArmError {
  const challenge = 'Bearer authorization_uri="https://login.microsoftonline.com/common", error="invalid_token"'
  return new ArmError(401, code, message, { 'www-authenticate': challenge })
}

export function forbidden(action: string, scope: string): ArmError {
  const message = `The client does not have authorization to perform action '${action}' over scope '${scope}' or the scope is invalid. If access was recently granted, please refresh your credentials.`
  return new ArmError(403, 'AuthorizationFailed', message)
}

/** AKS's own throttling: learn.microsoft.com/azure/aks/quotas-skus-regions, aka.ms/aks/throttling. */
export function throttled(handler: string, subscription: string, seconds: number): ArmError {
  const message = `The ${handler} request limit has been exceeded for SubID='${subscription}', please retry again in ${seconds} seconds. For more information, please visit aka.ms/aks/throttling`
  return new ArmError(429, 'Throttled', message, { 'retry-after': String(seconds) })
}
