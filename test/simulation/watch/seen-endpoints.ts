import type { EmulatorRequest, EmulatorResponse } from '../../../src/sandbox/emulators/emulator.ts'
import { bodyText } from '../../../src/sandbox/transports/wire.ts'
import type { Acting } from '../network.ts'

/** What each call of the app last saw of ready endpoints: the answers that really reached it, or its process a moment before. */
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

/** Calls of a process share answers whose question is a second old at most; the answer, and what follows, may be slow. */
const SHARED_MS = 45_000

interface Answer {
  readonly atMs: number
  readonly items: readonly Item[]
}

export function watchEndpoints(now: () => number): SeenEndpoints {
  const byCall = new WeakMap<object, Map<string, readonly Item[]>>()
  const byLife = new WeakMap<object, Map<string, readonly Answer[]>>()
  const keep = ({ invocation, life }: Acting, key: string, response: EmulatorResponse) => {
    const own = byCall.get(invocation ?? life) ?? new Map<string, readonly Item[]>()
    const shared = byLife.get(life) ?? new Map<string, readonly Answer[]>()
    byCall.set(invocation ?? life, own)
    byLife.set(life, shared)
    try {
      const { items } = JSON.parse(bodyText(response)) as { items: readonly Item[] }
      own.set(key, items)
      const recent = (shared.get(key) ?? []).filter(({ atMs }) => now() - atMs <= SHARED_MS)
      shared.set(key, [...recent, { atMs: now(), items }])
    } catch {
      // A broken answer tells nothing.
    }
  }
  /** What the call asked itself, else what it may have been given by others. */
  const lists = ({ invocation, life }: Acting, prefix: string): readonly (readonly Item[])[] => {
    const own = [...(byCall.get(invocation ?? life) ?? [])].filter(([key]) => key.startsWith(prefix))
    if (own.length > 0) return own.map(([, items]) => items)
    const shared = [...(byLife.get(life) ?? [])].filter(([key]) => key.startsWith(prefix))
    return shared.flatMap(([, answers]) =>
      answers.filter(({ atMs }) => now() - atMs <= SHARED_MS).map(({ items }) => items),
    )
  }
  return {
    answered(acting, { method, url }, response) {
      const { system } = acting
      if (method !== 'GET' || response.status !== 200) return
      const [, namespace] = SLICES.exec(url.pathname) ?? []
      const service = url.searchParams.get('labelSelector')?.split('=')[1]
      if (namespace !== undefined) keep(acting, `${system} slices ${namespace}/${service} `, response)
      const [, place] = PODS.exec(url.pathname) ?? []
      if (place !== undefined)
        keep(acting, `${system} pods ${place} ${url.searchParams.get('labelSelector')}`, response)
    },
    ready(acting, cluster, service, labels) {
      const slices = lists(acting, `kubernetes/${cluster} slices ${service} `)
      if (slices.length === 0) return undefined
      const pods = lists(acting, `kubernetes/${cluster} pods ${service.split('/')[0]} `).flat()
      const fits = ({ metadata }: Item) =>
        Object.entries(labels).every(([name, value]) => metadata.labels?.[name] === value)
      const names = new Set(pods.filter(fits).map(({ metadata }) => metadata.name))
      return Math.max(...slices.map((list) => [...readyIn(list)].filter((name) => names.has(name)).length))
    },
  }
}

/** Names of the Pods that EndpointSlices call ready. */
function readyIn(slices: readonly Item[]): ReadonlySet<string> {
  return new Set(
    slices.flatMap(({ endpoints = [] }) =>
      endpoints
        .filter(({ conditions }) => conditions?.ready !== false)
        .flatMap(({ targetRef }) => targetRef?.name ?? []),
    ),
  )
}
