import { randomUUID } from 'node:crypto'
import type { CookieData, HttpData } from './core-types.ts'
import { joinHeaders } from './http-binding-data.ts'
import { endExchange, exchangeData, type HttpExchange } from './http-exchange.ts'
import type { Invoker } from './invoker.ts'

/**
 * Carries an exchange as Azure does when the app has not asked for streaming: bodies go whole, inside the messages. A chunked
 * request body does not reach the handler, as in Azure. A handler that throws gives 500, one that returns nothing 204.
 */
export async function wholeExchange(exchange: HttpExchange, invoker: Invoker): Promise<void> {
  const invocationId = randomUUID()
  const data = exchangeData(exchange, invocationId)
  const outcome = await invoker.invoke(exchange.fn, { ...data, input: { http: requestData(exchange) } })
  if (!outcome.succeeded) return endExchange(exchange.response, 500)
  const answer = outcome.response.returnValue?.http
  if (!answer) return endExchange(exchange.response, 204)
  writeAnswer(exchange, answer)
}

function requestData(exchange: HttpExchange): HttpData {
  const { request, match, url, body } = exchange
  const params = [...match.params].filter((entry): entry is [string, string] => entry[1] !== null)
  return {
    url: url.href,
    method: request.method ?? 'GET',
    nullableHeaders: nullable(Object.entries(joinHeaders(request.rawHeaders))),
    nullableParams: nullable(params),
    nullableQuery: nullable(
      [...new Set(url.searchParams.keys())].map((key) => [key, url.searchParams.getAll(key).join(',')]),
    ),
    ...(body ? { body: { bytes: body } } : {}),
  }
}

function nullable(entries: readonly (readonly [string, string])[]): Record<string, { value: string }> {
  return Object.fromEntries(entries.map(([key, value]) => [key, { value }]))
}

function writeAnswer(exchange: HttpExchange, answer: HttpData): void {
  const { response } = exchange
  const body = answer.body?.bytes ?? Buffer.from(answer.body?.string ?? answer.body?.json ?? '')
  for (const [name, value] of Object.entries(answer.headers ?? {})) response.setHeader(name, value)
  for (const cookie of answer.cookies ?? []) response.appendHeader('set-cookie', cookieLine(cookie))
  const status = Number(answer.statusCode ?? '200')
  if (status >= 200 && status !== 204 && status !== 304) response.setHeader('content-length', body.byteLength)
  response.writeHead(status)
  response.end(body)
}

function cookieLine(cookie: CookieData): string {
  const site = { none: undefined, lax: 'Lax', strict: 'Strict', explicitNone: 'None' }[cookie.sameSite ?? 'none']
  const expires = cookie.expires ? new Date(cookie.expires.value.seconds * 1000).toUTCString() : undefined
  const parts = [
    `${encodeURIComponent(cookie.name)}=${encodeURIComponent(cookie.value)}`,
    cookie.maxAge && `Max-Age=${cookie.maxAge.value}`,
    cookie.domain && `Domain=${cookie.domain.value}`,
    cookie.path && `Path=${cookie.path.value}`,
    expires && `Expires=${expires}`,
    cookie.secure?.value && 'Secure',
    cookie.httpOnly?.value && 'HttpOnly',
    site && `SameSite=${site}`,
  ]
  return parts.filter((part) => typeof part === 'string').join('; ')
}
