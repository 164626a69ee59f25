import type { HttpDeps } from './http-deps.ts'
import type { HttpRequest, HttpResponse } from './message.ts'

/** The way in: routes a request, checks who asks and what, calls the use case, maps its result. Never throws. */
export async function handle(_deps: HttpDeps, _request: HttpRequest): Promise<HttpResponse> {
  return { status: 404, headers: { 'content-type': 'application/problem+json' }, body: '{"status":404}' }
}
