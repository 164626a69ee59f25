import type { EmulatorRequest, EmulatorResponse } from '../../../src/sandbox/emulators/emulator.ts'
import { bodyText } from '../../../src/sandbox/transports/wire.ts'
import type { Acting } from '../network.ts'

/** What each call of the app last saw of ready endpoints: the answers that really reached it. */
export interface SeenEndpoints {
  answered(acting: Acting, request: EmulatorRequest, response: EmulatorResponse): void
  /** Pods with the labels that were ready in the last lists that the call got; undefined when it got none. */
  ready(acting: Acting, cluster: string, service: string, labels: Readonly<Record<string, string>>): number | undefined
}

interface Item {
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> }
  readonly endpoints?: readonly {
    readonly conditions?: { readonly ready?: boolean }
    readonly targetRef?: { readonly name?: string }
  }[]
}

const SLICES = /^\/apis\/discovery\.k8s\.io\/v1\/namespaces\/([^/]+)\/endpointslices$/
const PODS = /^\/api\/v1\/namespaces\/([^/]+)\/pods$/

export function watchEndpoints(): SeenEndpoints {
  const seen = new WeakMap<object, Map<string, readonly Item[]>>()
  const keep = ({ invocation, life }: Acting, key: string, response: EmulatorResponse) => {
    const known = seen.get(invocation ?? life) ?? new Map<string, readonly Item[]>()
    seen.set(invocation ?? life, known)
    try {
      known.set(key, (JSON.parse(bodyText(response)) as { items: readonly Item[] }).items)
    } catch {
      // A broken answer tells nothing.
    }
  }
  return {
    answered(acting, { method, url }, response) {
      const { system } = acting
      if (method !== 'GET' || response.status !== 200) return
      const [, namespace] = SLICES.exec(url.pathname) ?? []
      const service = url.searchParams.get('labelSelector')?.split('=')[1]
      if (namespace !== undefined) keep(acting, `${system} slices ${namespace}/${service}`, response)
      const [, place] = PODS.exec(url.pathname) ?? []
      if (place !== undefined)
        keep(acting, `${system} pods ${place} ${url.searchParams.get('labelSelector')}`, response)
    },
    ready({ invocation, life }, cluster, service, labels) {
      const lists = seen.get(invocation ?? life)
      const slices = lists?.get(`kubernetes/${cluster} slices ${service}`)
      if (!lists || !slices) return undefined
      const place = `kubernetes/${cluster} pods ${service.split('/')[0]} `
      const pods = [...lists].flatMap(([key, items]) => (key.startsWith(place) ? items : []))
      const ready = new Set(
        slices.flatMap(({ endpoints = [] }) =>
          endpoints.filter(({ conditions }) => conditions?.ready !== false).map(({ targetRef }) => targetRef?.name),
        ),
      )
      const fits = ({ metadata }: Item) =>
        Object.entries(labels).every(([name, value]) => metadata.labels?.[name] === value)
      return pods.filter((pod) => ready.has(pod.metadata.name) && fits(pod)).length
    },
  }
}
