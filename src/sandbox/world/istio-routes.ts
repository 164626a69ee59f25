import * as z from 'zod'
import type { RouteShare, RouteSource } from './route-source.ts'

/** Reads objects of a cluster, as the Kubernetes emulator holds them now. */
export interface ObjectSource {
  /** All objects of a kind in all namespaces. */
  list(cluster: string, apiVersion: string, kind: string): readonly unknown[]
}

const metadata = z.object({ name: z.string(), namespace: z.string().default('default') })

const destination = z.object({ host: z.string(), subset: z.string().default('') })

const httpRoute = z.object({
  match: z.array(z.record(z.string(), z.unknown())).default([]),
  route: z.array(z.object({ destination, weight: z.number().optional() })).default([]),
})

const virtualService = z.object({
  metadata,
  spec: z.object({
    hosts: z.array(z.string()).default([]),
    gateways: z.array(z.string()).default(['mesh']),
    http: z.array(httpRoute).default([]),
  }),
})

const destinationRule = z.object({
  metadata,
  spec: z.object({
    host: z.string(),
    subsets: z.array(z.object({ name: z.string(), labels: z.record(z.string(), z.string()).default({}) })).default([]),
  }),
})

/**
 * The routes that Istio's objects describe, for plain requests (no header, no path but `/`) from inside the mesh: of the
 * VirtualService for the service's host the first HTTP route that such a request matches, subsets from the host's
 * DestinationRule. Timeouts, retries, faults and mirrors have no effect on the simulated traffic, and a destination that is
 * another service counts as one that nobody defines.
 */
export function istioRoutes(objects: ObjectSource): RouteSource {
  const read = <T>(cluster: string, kind: string, schema: z.ZodType<T>): T[] =>
    objects.list(cluster, 'networking.istio.io/v1', kind).flatMap((object) => {
      const parsed = schema.safeParse(object)
      return parsed.success ? [parsed.data] : []
    })
  return {
    weights(cluster, namespace, service) {
      const host = `${service}.${namespace}.svc.cluster.local`
      const route = read(cluster, 'VirtualService', virtualService)
        .filter(({ spec }) => spec.gateways.includes('mesh'))
        .filter((object) => object.spec.hosts.some((name) => fullHost(name, object.metadata.namespace) === host))
        .flatMap((object) => object.spec.http.map((http) => ({ ...http, namespace: object.metadata.namespace })))
        .find(({ match }) => match.length === 0 || match.some(matchesPlainRequest))
      if (route === undefined) return undefined
      const rules = read(cluster, 'DestinationRule', destinationRule)
      return route.route.map(({ destination: { host: name, subset }, weight = 0 }) => {
        const full = fullHost(name, route.namespace)
        const rule = rules.find((rule) => fullHost(rule.spec.host, rule.metadata.namespace) === full)
        // Istio ignores the weight of a lone destination.
        return {
          subset,
          weight: route.route.length === 1 ? 1 : weight,
          labels: full === host ? subsetLabels(rule, subset) : undefined,
        } satisfies RouteShare
      })
    },
  }
}

function subsetLabels(rule: z.infer<typeof destinationRule> | undefined, subset: string): RouteShare['labels'] {
  if (subset === '') return {}
  return rule?.spec.subsets.find(({ name }) => name === subset)?.labels
}

/** A short name is a service of the object's own namespace. */
function fullHost(host: string, namespace: string): string {
  const [service = '', inNamespace = namespace, svc = 'svc', ...domain] = host.split('.')
  if (svc !== 'svc') return host
  return [service, inNamespace, 'svc', ...(domain.length > 0 ? domain : ['cluster', 'local'])].join('.')
}

function matchesPlainRequest(match: Readonly<Record<string, unknown>>): boolean {
  const conditions = Object.entries(match).filter(([field]) => field !== 'name' && field !== 'ignoreUriCase')
  return conditions.every(([field, value]) => field === 'uri' && (value as { prefix?: unknown }).prefix === '/')
}
