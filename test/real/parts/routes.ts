import type { ApiServer } from './api-server.ts'

interface Route {
  readonly destination: { readonly subset?: string }
  readonly weight?: number
}

/** The weights in the VirtualService of `shop/web` on the API server, by subset; versions with none are left out. */
export async function routeWeights({ admin }: ApiServer): Promise<Record<string, number>> {
  const answer = await admin.call('GET', '/apis/networking.istio.io/v1/namespaces/shop/virtualservices')
  const { items } = answer.body as { items: { spec: { http: { route: Route[] }[] } }[] }
  const weights = items
    .flatMap(({ spec }) => spec.http)
    .flatMap(({ route }) => route)
    .map(({ destination, weight }) => [destination.subset ?? 'none', weight ?? 100] as const)
  return Object.fromEntries(weights.filter(([, weight]) => weight > 0))
}
