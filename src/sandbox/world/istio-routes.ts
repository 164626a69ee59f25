import * as z from 'zod'
import { fitsMatch } from './istio-match.ts'
import type { RouteRule, RouteShare, RouteSource } from './route-source.ts'

/** Reads objects of a cluster, as the Kubernetes emulator holds them now. */
export interface ObjectSource {
  /** All objects of a kind in all namespaces. */
  list(cluster: string, apiVersion: string, kind: string): readonly unknown[]
}

const metadata = z.object({ name: z.string(), namespace: z.string().default('default') })

const destination = z.object({ host: z.string(), subset: z.string().default('') })

const headers = z.object({
  response: z.object({ add: z.record(z.string(), z.string()).default({}) }).prefault({}),
})

const httpRoute = z.object({
  match: z.array(z.unknown()).default([]),
  route: z.array(z.object({ destination, weight: z.number().optional(), headers: headers.optional() })).default([]),
  mirror: destination.optional(),
  mirrorPercentage: z.object({ value: z.number().default(0) }).default({ value: 100 }),
})
type HttpRoute = z.infer<typeof httpRoute>

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
 * The routes that Istio's objects describe, for requests from inside the mesh: the HTTP routes of the VirtualService for the
 * service's host, in order, with their matches, weights, mirrors and the cookies that they set; subsets from the host's
 * DestinationRule. Timeouts, retries, faults and redirects have no effect on the simulated traffic, and a destination that is another
 * service counts as one that nobody defines.
 */
export function istioRoutes(objects: ObjectSource): RouteSource {
  const read = <T>(cluster: string, kind: string, schema: z.ZodType<T>): T[] =>
    objects.list(cluster, 'networking.istio.io/v1', kind).flatMap((object) => {
      const parsed = schema.safeParse(object)
      return parsed.success ? [parsed.data] : []
    })
  return {
    rules(cluster, namespace, service) {
      const host = `${service}.${namespace}.svc.cluster.local`
      const routes = read(cluster, 'VirtualService', virtualService)
        .filter(({ spec }) => spec.gateways.includes('mesh'))
        .filter((object) => object.spec.hosts.some((name) => fullHost(name, object.metadata.namespace) === host))
        .flatMap((object) => object.spec.http.map((http) => ({ http, namespace: object.metadata.namespace })))
      if (routes.length === 0) return undefined
      const rules = read(cluster, 'DestinationRule', destinationRule)
      return routes.map(({ http, namespace }) =>
        ruleOf(http, ({ host: name, subset }) => {
          const full = fullHost(name, namespace)
          const rule = rules.find((rule) => fullHost(rule.spec.host, rule.metadata.namespace) === full)
          return full === host ? subsetLabels(rule, subset) : undefined
        }),
      )
    },
  }
}

function ruleOf(
  { match, route, mirror, mirrorPercentage }: HttpRoute,
  labelsOf: (to: z.infer<typeof destination>) => RouteShare['labels'],
): RouteRule {
  const shares = route.map(({ destination, weight = 0, headers }): RouteShare => {
    const cookie = headers?.response.add['Set-Cookie']?.split(';')[0]?.replaceAll('%%', '%')
    return {
      subset: destination.subset,
      // Istio ignores the weight of a lone destination.
      weight: route.length === 1 ? 1 : weight,
      labels: labelsOf(destination),
      ...(cookie === undefined ? {} : { setCookie: cookie }),
    }
  })
  return {
    fits: (request) => match.length === 0 || match.some((one) => fitsMatch(one, request)),
    shares,
    ...(mirror ? { mirror: { percent: mirrorPercentage.value, labels: labelsOf(mirror) } } : {}),
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
