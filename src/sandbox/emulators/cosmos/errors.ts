import { type EmulatorResponse, jsonResponse } from '../emulator.ts'

/** A refusal as Cosmos DB words it: status, code, message and, where there is one, a sub-status. */
export class CosmosError extends Error {
  readonly status: number
  readonly code: string
  readonly substatus: number
  readonly extra: Readonly<Record<string, unknown>>

  constructor(status: number, code: string, message: string, substatus = 0, extra: Record<string, unknown> = {}) {
    super(message)
    this.name = 'CosmosError'
    this.status = status
    this.code = code
    this.substatus = substatus
    this.extra = extra
  }
}

export function badRequest(message: string, substatus = 0, extra: Record<string, unknown> = {}): CosmosError {
  return new CosmosError(400, 'BadRequest', message, substatus, extra)
}

export function notFound(): CosmosError {
  const message = 'Resource Not Found. Learn more: https://aka.ms/cosmosdb-tsg-not-found'
  return new CosmosError(404, 'NotFound', `Message: {"Errors":["${message}"]}`)
}

/** The container of the addressed document is not there (sub-status 1003). */
export function ownerNotFound(): CosmosError {
  return new CosmosError(404, 'NotFound', 'Message: {"Errors":["Owner resource does not exist"]}', 1003)
}

export function conflict(): CosmosError {
  const message = 'Entity with the specified id already exists in the system.'
  return new CosmosError(409, 'Conflict', message)
}

export function preconditionFailed(): CosmosError {
  const message = 'Operation cannot be performed because one of the specified precondition is not met.'
  return new CosmosError(412, 'PreconditionFailed', message)
}

export function tooLarge(): CosmosError {
  return new CosmosError(413, 'RequestEntityTooLarge', 'Request size is too large')
}

export function notEmulated(what: string): CosmosError {
  return new CosmosError(501, 'NotImplemented', `This emulator does not do that: ${what}`)
}

/** The answer of a container out of request units; for a wire that throttles (the emulator itself never does). */
export function throttled(retryAfterMs: number): EmulatorResponse {
  const message = 'Request rate is large. More Request Units may be needed, so no changes were made.'
  const answer = errorResponse(new CosmosError(429, 'TooManyRequests', `Message: {"Errors":["${message}"]}`, 3200))
  return { ...answer, headers: { ...answer.headers, 'x-ms-retry-after-ms': String(retryAfterMs) } }
}

export function errorResponse({ status, code, message, substatus, extra }: CosmosError): EmulatorResponse {
  return jsonResponse(status, { code, message, ...extra }, { 'x-ms-substatus': String(substatus) })
}
