import type { EmulatorResponse } from '../emulator.ts'
import { jsonResponse } from '../emulator.ts'
import type { JsonObject } from './json.ts'

/** Group and plural (or kind) as error messages name them, for example `virtualservices.networking.istio.io`. */
export interface Named {
  readonly group: string
  readonly plural: string
  readonly kind: string
}

/** One reason why an object is invalid. */
export interface FieldError {
  readonly field: string
  readonly reason:
    | 'FieldValueInvalid'
    | 'FieldValueRequired'
    | 'FieldValueForbidden'
    | 'FieldValueNotSupported'
    | 'FieldValueTooLong'
    | 'FieldValueTypeInvalid'
  /** As the cause has it, for example `Required value: name or generateName is required`. */
  readonly message: string
}

/** A request that the API server refuses; carries the whole answer. */
export class KubernetesError extends Error {
  override name = 'KubernetesError'
  readonly response: EmulatorResponse
  constructor(message: string, response: EmulatorResponse) {
    super(message)
    this.response = response
  }
}

/** A failure as a Kubernetes `Status` object. Empty parts of `details` are left out, as the real server does. */
export function failure(code: number, reason: string, message: string, details?: JsonObject): KubernetesError {
  const known = details && Object.fromEntries(Object.entries(details).filter(([, value]) => value !== ''))
  const status = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    ...(reason ? { reason } : {}),
    ...(known ? { details: known } : {}),
    code,
  }
  return new KubernetesError(message, jsonResponse(code, status))
}

/** `plural.group`, or the plural alone in the core group. */
export function resourceText(type: Named): string {
  return type.group ? `${type.plural}.${type.group}` : type.plural
}

function kindText(type: Named): string {
  return type.group ? `${type.kind}.${type.group}` : type.kind
}

export function badRequest(message: string): KubernetesError {
  return failure(400, 'BadRequest', message)
}

/** 404 for an object that does not exist. */
export function notFound(type: Named, name: string): KubernetesError {
  return failure(404, 'NotFound', `${resourceText(type)} ${quoted(name)} not found`, details(type, name))
}

/** 404 for a path that a served group does not know. */
export function noSuchResource(): KubernetesError {
  return failure(404, 'NotFound', 'the server could not find the requested resource', {})
}

/** 404 for a path that no group serves: plain text. */
export function noSuchPath(): KubernetesError {
  const text = '404 page not found'
  const headers = { 'content-type': 'text/plain; charset=utf-8' }
  return new KubernetesError(text, { status: 404, headers, body: `${text}\n` })
}

export function methodNotAllowed(): KubernetesError {
  return failure(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {})
}

/** The real server streams here; the emulator has no watch. */
export function noWatch(type: Named): KubernetesError {
  const message = `watch is not supported on resources of kind ${quoted(resourceText(type))}`
  return failure(405, 'MethodNotAllowed', message, details(type, ''))
}

export function alreadyExists(type: Named, name: string, beingDeleted: boolean): KubernetesError {
  const message = `${beingDeleted ? 'object is being deleted: ' : ''}${resourceText(type)} ${quoted(name)} already exists`
  return failure(409, 'AlreadyExists', message, details(type, name))
}

/** 409 for a write that does not fit what is stored. */
export function conflict(type: Named, name: string, why: string): KubernetesError {
  const message = `Operation cannot be fulfilled on ${resourceText(type)} ${quoted(name)}: ${why}`
  return failure(409, 'Conflict', message, details(type, name))
}

/** 409 for a delete whose preconditions do not hold: names the kind, not the plural. */
export function preconditionFailed(type: Named, name: string, why: string): KubernetesError {
  return conflict({ ...type, plural: type.kind }, name, why)
}

export function changedMeanwhile(type: Named, name: string): KubernetesError {
  return conflict(
    type,
    name,
    'the object has been modified; please apply your changes to the latest version and try again',
  )
}

/** 422 for an object with the given faults. */
export function invalid(type: Named, name: string, errors: readonly FieldError[]): KubernetesError {
  const texts = [...new Set(errors.map(({ field, message }) => `${field}: ${message}`))]
  const all = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`
  return failure(422, 'Invalid', `${kindText(type)} ${quoted(name)} is invalid: ${all}`, {
    ...details({ ...type, plural: type.kind }, name),
    causes: errors.map(({ field, reason, message }) => ({ reason, message, field })),
  })
}

/** 422 for query parameters or a body of options, for example `PatchOptions`. */
export function invalidOptions(kind: string, errors: readonly FieldError[]): KubernetesError {
  return invalid({ group: 'meta.k8s.io', plural: '', kind }, '', errors)
}

export function unauthorized(): KubernetesError {
  return failure(401, 'Unauthorized', 'Unauthorized')
}

export function unsupportedMediaType(message: string, withDetails: boolean): KubernetesError {
  return failure(415, 'UnsupportedMediaType', message, withDetails ? {} : undefined)
}

/** 429 as priority and fairness gives it: plain text and `Retry-After` in seconds. */
export function tooManyRequests(retryAfterSeconds: number): EmulatorResponse {
  return {
    status: 429,
    headers: { 'content-type': 'text/plain; charset=utf-8', 'retry-after': String(retryAfterSeconds) },
    body: 'Too many requests, please try again later.\n',
  }
}

export function details(type: Named, name: string): JsonObject {
  return { name, group: type.group, kind: type.plural }
}

/** A string in quotes, escaped as Go's %q does for plain text. */
export function quoted(text: string): string {
  return JSON.stringify(text)
}
