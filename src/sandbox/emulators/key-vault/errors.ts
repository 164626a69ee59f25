import { type EmulatorResponse, jsonResponse } from '../emulator.ts'

/** A refusal as Key Vault writes it: `{error: {code, message, innererror}}`. */
export class VaultError extends Error {
  readonly status: number
  readonly code: string
  /** Code of the inner error, where there is one. */
  readonly inner: string | undefined
  readonly headers: Readonly<Record<string, string>>

  constructor(
    status: number,
    code: string,
    message: string,
    more: { inner?: string; headers?: Record<string, string> } = {},
  ) {
    super(message)
    this.name = 'VaultError'
    this.status = status
    this.code = code
    this.inner = more.inner
    this.headers = more.headers ?? {}
  }
}

export function errorResponse({ status, code, message, inner, headers }: VaultError): EmulatorResponse {
  const innererror = inner === undefined ? {} : { innererror: { code: inner } }
  return jsonResponse(status, { error: { code, message, ...innererror } }, { ...headers })
}

export function badParameter(message: string): VaultError {
  return new VaultError(400, 'BadParameter', message)
}

export function certificateNotFound(name: string): VaultError {
  return new VaultError(
    404,
    'CertificateNotFound',
    `A certificate with (name/id) ${name} was not found in this key vault.`,
  )
}

export function secretNotFound(name: string): VaultError {
  return new VaultError(404, 'SecretNotFound', `A secret with (name/id) ${name} was not found in this key vault.`)
}

export function keyNotFound(name: string): VaultError {
  return new VaultError(404, 'KeyNotFound', `A key with (name/id) ${name} was not found in this key vault.`)
}

export function pendingNotFound(name: string): VaultError {
  return new VaultError(404, 'PendingCertificateNotFound', `Pending certificate not found: ${name}`)
}

/** The name lies deleted: only recover and purge may touch it. */
export function isDeleted(kind: 'Certificate' | 'Secret' | 'Key', name: string): VaultError {
  const message = `${kind} ${name} is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the object can only be recovered or purged.`
  return new VaultError(409, 'Conflict', message, { inner: 'ObjectIsDeletedButRecoverable' })
}
