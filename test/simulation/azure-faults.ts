import {
  ArmError,
  errorResponse as armError,
  throttled as armThrottled,
} from '../../src/sandbox/emulators/arm/errors.ts'
import { type EmulatorResponse, jsonResponse } from '../../src/sandbox/emulators/emulator.ts'
import { VaultError, errorResponse as vaultResponse } from '../../src/sandbox/emulators/key-vault/errors.ts'
import { SANDBOX_TENANT } from '../../src/sandbox/identities.ts'
import type { Chance } from '../../src/sandbox/world/chance.ts'
import { cut, html, plain } from './broken-answers.ts'
import type { Answers, SystemKind } from './faults.ts'
import { inOtherOrder, withOtherKey } from './wrong-secrets.ts'

type AzureKind = Extract<
  SystemKind,
  'arm' | 'identity' | 'vault' | 'graph' | 'chat' | 'monitor' | 'gateway' | 'webhook'
>

/** Refusals of Azure's services, of chats and of receivers of webhooks, as each words them; the request has no effect. */
export const AZURE_ANSWERS: Readonly<Record<AzureKind, Answers>> = {
  arm: (_, chance) => [
    () => armError(armThrottled('GetManagedClusterHandler.GET', 'simulation', seconds(chance))),
    () => armError(new ArmError(503, 'ServerTimeout', 'The request timed out.')),
    () => armError(new ArmError(500, 'InternalServerError', 'Internal server error.')),
    () => armError(new ArmError(403, 'AuthorizationFailed', 'For now.')),
    () => armError(new ArmError(401, 'ExpiredAuthenticationToken', 'The access token is invalid.')),
  ],
  identity: (_, chance) => [
    () => jsonResponse(429, { error: 'too many' }, { 'retry-after': String(seconds(chance)) }),
    () => plain(500, 'Internal Server Error'),
    () => jsonResponse(400, { error: 'invalid_request', error_description: 'Identity not found' }),
  ],
  vault: ({ method }, chance) => [
    () =>
      vault(429, 'Throttled', 'Too many requests. Reason: VaultRequestTypeLimitReached', {
        headers: { 'retry-after': String(seconds(chance)) },
      }),
    () => vault(503, 'ServiceUnavailable', 'The service is not available.'),
    () => vault(500, 'InternalServerError', 'An internal error occurred.'),
    () => vault(401, 'Unauthorized', 'AKV10022: The token has expired.', { headers: CHALLENGE }),
    () =>
      vault(403, 'Forbidden', 'Client address is not authorized and caller is not a trusted service.', {
        inner: 'ForbiddenByFirewall',
      }),
    ...(method === 'POST' ? [() => vault(409, 'Forbidden', "A pending certificate's status is inProgress.")] : []),
  ],
  graph: (_, chance) => [
    () => jsonResponse(429, graphError('TooManyRequests'), { 'retry-after': String(seconds(chance)) }),
    () => jsonResponse(503, graphError('serviceNotAvailable')),
    () => jsonResponse(401, graphError('InvalidAuthenticationToken')),
    () => jsonResponse(403, graphError('Authorization_RequestDenied')),
  ],
  monitor: (_, chance) => [
    () => jsonResponse(429, promError('too_many_requests'), { 'retry-after': String(seconds(chance)) }),
    () => jsonResponse(401, promError('unauthorized')),
    () => jsonResponse(422, promError('execution')),
    () => plain(503, 'Service Unavailable'),
    () => jsonResponse(200, { status: 'success', data: { resultType: 'matrix', result: [] } }),
  ],
  gateway: () => [() => plain(503, 'no handshake')],
  webhook: (_, chance) => [
    () => plain(503, 'Service Unavailable'),
    () => jsonResponse(500, { message: 'For now.' }),
    () => jsonResponse(429, { message: 'For now.' }, { 'retry-after': String(seconds(chance)) }),
    () => ({ status: 302, headers: { location: 'https://elsewhere.test/' }, body: '' }),
    () => jsonResponse(200, { verdict: 'perhaps' }),
  ],
  chat: ({ url }, chance) =>
    url.hostname.endsWith('slack.com')
      ? [
          () => jsonResponse(429, { ok: false, error: 'ratelimited' }, { 'retry-after': String(seconds(chance)) }),
          () => jsonResponse(200, { ok: false, error: 'ratelimited' }),
          () => jsonResponse(200, { ok: false, error: 'internal_error' }),
          () => plain(503, 'Service Unavailable'),
        ]
      : [
          () => jsonResponse(429, graphError('TooManyRequests'), { 'retry-after': String(seconds(chance)) }),
          () => plain(502, 'Bad Gateway'),
          () => jsonResponse(500, graphError('InternalServerError')),
        ],
}

/** Broken answers to requests that had their effect. */
export const AZURE_SPOILS: Readonly<Record<AzureKind, readonly ((response: EmulatorResponse) => EmulatorResponse)[]>> =
  {
    arm: [cut, html],
    identity: [cut, html],
    vault: [cut, html, withOtherKey, inOtherOrder],
    graph: [cut, html],
    chat: [cut, html],
    monitor: [cut, html],
    gateway: [cut],
    webhook: [cut],
  }

const CHALLENGE = {
  'www-authenticate': `Bearer authorization="https://login.microsoftonline.com/${SANDBOX_TENANT}", resource="https://vault.azure.net"`,
}

function seconds(chance: Chance): number {
  return Math.ceil(30 * chance.next())
}

function vault(...error: ConstructorParameters<typeof VaultError>): EmulatorResponse {
  return vaultResponse(new VaultError(...error))
}

function promError(errorType: string): object {
  return { status: 'error', errorType, error: 'For now.' }
}

function graphError(code: string): object {
  return { error: { code, message: 'For now.' } }
}
