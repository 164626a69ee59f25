import { parse } from 'yaml'
import type { EmulatorRequest } from '../emulator.ts'
import type { Json } from './json.ts'
import type { FieldError } from './status.ts'
import { badRequest, failure, invalidOptions, quoted, unsupportedMediaType } from './status.ts'

/** Options of a write from its query. */
export interface QueryOptions {
  readonly manager: string
  readonly dryRun: boolean
  readonly force: boolean
}

const applyPatch = 'application/apply-patch+yaml'
/** Largest body the API server reads, in bytes. */
const mostBytes = 3 * 1024 * 1024

/**
 * The options of a POST, PUT or PATCH. `kind` is how errors name them, for example `PatchOptions`.
 * Without a field manager the writer is the first part of the user agent. Throws KubernetesError 422.
 */
export function readOptions(request: EmulatorRequest, kind: string): QueryOptions {
  const query = request.url.searchParams
  const manager = query.get('fieldManager') ?? ''
  const isApply = contentTypeOf(request) === applyPatch
  const errors: FieldError[] = []
  if (isApply && !manager) {
    const message = 'Required value: is required for apply patch'
    errors.push({ field: 'fieldManager', reason: 'FieldValueRequired', message })
  }
  if (kind === 'PatchOptions' && !isApply && query.has('force')) {
    const message = 'Forbidden: may not be specified for non-apply patch'
    errors.push({ field: 'force', reason: 'FieldValueForbidden', message })
  }
  if (manager.length > 128) {
    const message = 'Too long: may not be more than 128 bytes'
    errors.push({ field: 'fieldManager', reason: 'FieldValueTooLong', message })
  }
  const dryRun = query.getAll('dryRun').filter(Boolean)
  if (dryRun.some((value) => value !== 'All')) {
    errors.push(unsupported('dryRun', JSON.stringify(dryRun), ['All']))
  }
  const validation = query.get('fieldValidation') ?? ''
  const validations = ['', 'Ignore', 'Strict', 'Warn']
  if (!validations.includes(validation)) errors.push(unsupported('fieldValidation', quoted(validation), validations))
  if (errors.length > 0) throw invalidOptions(kind, errors)
  const [agent = ''] = (request.headers['user-agent'] ?? '').split('/')
  const force = query.get('force') ?? ''
  return {
    manager: manager || agent.slice(0, 128) || 'unknown',
    dryRun: dryRun.length > 0,
    force: !['', '0', 'false'].includes(force.toLowerCase()),
  }
}

/** The media type of the body, without parameters. */
export function contentTypeOf(request: EmulatorRequest): string {
  const [type = ''] = (request.headers['content-type'] ?? '').split(';')
  return type.trim().toLowerCase()
}

/** The body as text. Throws KubernetesError 413 when it is larger than the server reads. */
export function bodyText(request: EmulatorRequest): string {
  if (request.body.byteLength > mostBytes) {
    throw failure(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${mostBytes}`)
  }
  return new TextDecoder().decode(request.body)
}

/** The body of a POST or PUT. Throws KubernetesError 415 for another media type and 400 for broken JSON. */
export function readBody(request: EmulatorRequest, kind: string): Json {
  const type = contentTypeOf(request) || 'application/json'
  if (type !== 'application/json' && type !== 'application/yaml') {
    const accepted = 'application/json, application/yaml, application/vnd.kubernetes.protobuf'
    const message = `the body of the request was in an unknown format - accepted media types include: ${accepted}`
    throw unsupportedMediaType(message, false)
  }
  const text = bodyText(request)
  try {
    return type === 'application/json' ? JSON.parse(text) : parse(text)
  } catch {
    const why = "couldn't get version/kind; json parse error"
    throw badRequest(`the object provided is unrecognized (must be of type ${kind}): ${why} (${text.slice(0, 100)})`)
  }
}

function unsupported(field: string, found: string, supported: readonly string[]): FieldError {
  const values = supported.map(quoted).join(', ')
  const message = `Unsupported value: ${found}: supported values: ${values}`
  return { field, reason: 'FieldValueNotSupported', message }
}
