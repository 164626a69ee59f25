/** One request that a cluster's API server answered to Meshwright. */
export interface KubeRequest {
  /** Epoch milliseconds of the answer. */
  readonly atMs: number
  readonly method: string
  readonly path: string
  readonly status: number
  /** Weights by subset that a write of a VirtualService asked for. */
  readonly weights?: Readonly<Record<string, number>>
}

interface Route {
  readonly route?: readonly { readonly destination: { readonly subset?: string }; readonly weight?: number }[]
}

/** The weights in a VirtualService, by subset; undefined when it is none. */
export function weightsIn(object: unknown): KubeRequest['weights'] {
  const { kind, spec } = (object ?? {}) as { kind?: string; spec?: { http?: readonly Route[] } }
  if (kind !== 'VirtualService') return undefined
  const routes = (spec?.http ?? []).flatMap(({ route }) => route ?? [])
  return Object.fromEntries(routes.map(({ destination, weight }) => [destination.subset ?? '', weight ?? 100]))
}

/** `GET virtualservices ×3, PATCH virtualservices ×4`: what requests went to, the most frequent first. */
export function byResource(requests: readonly KubeRequest[], per: number): string {
  const counts = new Map<string, number>()
  for (const { method, path } of requests) {
    const key = `${method} ${resourceOf(path)}`
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .map(([key, count]) => `${key} ${Math.round((count / per) * 10) / 10}`)
    .join(', ')
}

function resourceOf(path: string): string {
  const parts = (path.split('?')[0] ?? '').split('/').filter((part) => part !== '')
  const rest = parts.slice(parts[0] === 'api' ? 2 : 3)
  return (rest[0] === 'namespaces' && rest.length > 2 ? rest[2] : rest[0]) ?? path
}
