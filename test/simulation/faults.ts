import { CosmosError, errorResponse, throttled } from '../../src/sandbox/emulators/cosmos/errors.ts'
import type { EmulatorRequest, EmulatorResponse } from '../../src/sandbox/emulators/emulator.ts'
import { failure, tooManyRequests, unauthorized } from '../../src/sandbox/emulators/kubernetes/status.ts'
import { bodyText } from '../../src/sandbox/transports/wire.ts'
import type { Chance } from '../../src/sandbox/world/chance.ts'
import { AZURE_ANSWERS, AZURE_SPOILS } from './azure-faults.ts'
import { cut, html, plain } from './broken-answers.ts'

/** What the app calls. Clusters and their metrics count one by one. */
export type SystemKind =
  | 'cosmos'
  | 'queues'
  | 'entra'
  | 'kubernetes'
  | 'prometheus'
  | 'arm'
  | 'identity'
  | 'vault'
  | 'graph'
  | 'chat'
  | 'monitor'
  | 'gateway'
  | 'webhook'

/** What becomes of one request. */
export type Fate =
  | { readonly kind: 'carried' | 'refused' | 'dropped' | 'reply-lost' | 'hung' | 'reply-hung' | 'twice' }
  | { readonly kind: 'answered'; readonly response: EmulatorResponse }
  | { readonly kind: 'spoiled'; spoil(response: EmulatorResponse): EmulatorResponse }
  | { readonly kind: 'crash'; readonly flavour: CrashFlavour }

/** When an instance dies: before its request goes out, after its effect, or after the reply has come and was worked on. */
export const CRASH_FLAVOURS = ['before-send', 'after-effect', 'after-reply'] as const
export type CrashFlavour = (typeof CRASH_FLAVOURS)[number]

const KINDS = [
  'refused',
  'dropped',
  'reply-lost',
  'hung',
  'reply-hung',
  'twice',
  'answered',
  'spoiled',
  'crash',
] as const
type FaultKind = (typeof KINDS)[number]

/** Chances of one request, 0 to 1; `slow` is about its way, all others about its end. */
export interface FaultRates extends Readonly<Record<FaultKind, number>> {
  readonly slow: number
}

export const NO_FAULTS: FaultRates = {
  refused: 0,
  dropped: 0,
  'reply-lost': 0,
  hung: 0,
  'reply-hung': 0,
  twice: 0,
  answered: 0,
  spoiled: 0,
  crash: 0,
  slow: 0,
}

/** A run's own mix: each kind of fault is there or not, rare or frequent. One run in eight has none. */
export function drawRates(chance: Chance): FaultRates {
  if (chance.next() < 0.125) return NO_FAULTS
  const level = 10 ** (-3.3 + 1.8 * chance.next())
  const rate = (share: number) => (chance.next() < 0.5 ? level * share * (0.3 + chance.next()) : 0)
  return {
    refused: rate(1),
    dropped: rate(1),
    'reply-lost': rate(1.5),
    hung: rate(0.3),
    'reply-hung': rate(0.3),
    twice: rate(1),
    answered: rate(2),
    spoiled: rate(0.7),
    crash: rate(0.4),
    slow: rate(3),
  }
}

/** Draws what becomes of a request. */
export function drawFate(rates: FaultRates, chance: Chance, system: SystemKind, request: EmulatorRequest): Fate {
  let mark = chance.next()
  for (const kind of KINDS) {
    mark -= rates[kind]
    if (mark < 0) return fateOf(kind, chance, system, request)
  }
  return { kind: 'carried' }
}

function fateOf(kind: FaultKind, chance: Chance, system: SystemKind, request: EmulatorRequest): Fate {
  switch (kind) {
    case 'answered':
      return { kind, response: pick(chance, ANSWERS[system](request, chance))() }
    case 'spoiled':
      return { kind, spoil: pick(chance, SPOILS[system]) }
    case 'crash':
      return { kind, flavour: pick(chance, CRASH_FLAVOURS) }
    case 'twice':
      // A proxy repeats what it may repeat; of the systems here each but chats would take a second write for what it is.
      return { kind: system === 'chat' ? 'carried' : kind }
    default:
      return { kind }
  }
}

export function pick<T>(chance: Chance, items: readonly T[]): T {
  if (items.length === 0) throw new RangeError('nothing to pick from')
  return items[Math.floor(chance.next() * items.length)] as T
}

/** Refusals that a service may word for a request. */
export type Answers = (request: EmulatorRequest, chance: Chance) => readonly (() => EmulatorResponse)[]

/** Refusals as each service words them; the request has no effect. */
const ANSWERS: Readonly<Record<SystemKind, Answers>> = {
  cosmos: (request, chance) => [
    () => throttled(Math.ceil(1 + chance.next() * 800)),
    () => throttled(Math.ceil(1 + chance.next() * 20_000)),
    () => errorResponse(new CosmosError(503, 'ServiceUnavailable', 'The service is currently unavailable.')),
    () => errorResponse(new CosmosError(500, 'InternalServerError', 'Unknown server error occurred.')),
    () => errorResponse(new CosmosError(408, 'RequestTimeout', 'Request timed out.')),
    () => errorResponse(new CosmosError(449, 'RetryWith', 'Conflicting request to resource has been attempted.')),
    ...(request.method === 'GET' && request.headers['x-ms-session-token']
      ? [() => errorResponse(new CosmosError(404, 'NotFound', 'The read session is not available.', 1002))]
      : []),
  ],
  queues: () => [
    () => queueError(503, 'ServerBusy'),
    () => queueError(500, 'InternalError'),
    () => queueError(500, 'OperationTimedOut'),
  ],
  entra: () => [() => plain(503, 'Service Unavailable'), () => plain(429, 'slow down')],
  kubernetes: (request, chance) => [
    () => tooManyRequests(1 + Math.floor(chance.next() * 6)),
    () => failure(503, 'ServiceUnavailable', 'apiserver is shutting down').response,
    () => failure(500, 'InternalError', 'Internal error occurred: etcdserver: leader changed').response,
    () => failure(504, 'Timeout', 'Timeout: request did not complete within the allotted timeout').response,
    () => unauthorized().response,
    () => failure(403, 'Forbidden', 'forbidden: for now').response,
    ...(request.method === 'PATCH' ? [() => failure(409, 'Conflict', 'the object has been modified').response] : []),
    ...(request.method === 'GET' && request.url.searchParams.has('limit')
      ? [() => failure(410, 'Expired', 'The provided continue parameter is too old').response]
      : []),
  ],
  prometheus: () => [
    () => plain(503, 'Service Unavailable'),
    () => plain(502, '<html>Bad Gateway</html>'),
    () => promError(422, 'execution', 'query processing would load too many samples into memory'),
    () => promError(503, 'timeout', 'query timed out in expression evaluation'),
    () => plain(429, 'too many'),
    () => matrix('[]'),
  ],
  ...AZURE_ANSWERS,
}

/** Broken answers to requests that had their effect. */
const SPOILS: Readonly<Record<SystemKind, readonly ((response: EmulatorResponse) => EmulatorResponse)[]>> = {
  cosmos: [cut],
  queues: [cut],
  entra: [cut],
  kubernetes: [cut, html],
  prometheus: [cut, html, notNumbers],
  ...AZURE_SPOILS,
}

/** Prometheus writes NaN for what is no number. */
function notNumbers(response: EmulatorResponse): EmulatorResponse {
  return { ...response, body: bodyText(response).replaceAll(/,"\d+(\.\d+)?"\]/g, ',"NaN"]') }
}

function promError(status: number, errorType: string, error: string): EmulatorResponse {
  return {
    status,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ status: 'error', errorType, error }),
  }
}

function matrix(result: string): EmulatorResponse {
  const body = `{"status":"success","data":{"resultType":"matrix","result":${result}}}`
  return { status: 200, headers: { 'content-type': 'application/json' }, body }
}

function queueError(status: number, code: string): EmulatorResponse {
  const body = `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`
  return { status, headers: { 'content-type': 'application/xml', 'x-ms-error-code': code }, body }
}
