import type { KubeObject } from '../../../src/model/kube.ts'
import type { Sides } from './kinds.ts'

interface Part {
  readonly destination?: { readonly subset?: string }
  readonly headers?: { readonly response?: { readonly add?: Readonly<Record<string, string>> } }
}

interface Route {
  readonly name?: string
  readonly route?: readonly Part[]
  readonly mirror?: { readonly subset?: string }
}

/** What a VirtualService sends to versions by other ways than its split, sorted: `affinity v2`, `match v2`, `mirror v2`. */
export function liveSides(object: KubeObject): Sides {
  const sides = new Set<string>()
  for (const { name = '', route = [], mirror } of (object.spec?.http ?? []) as readonly Route[]) {
    const kind = /^candidate\.(match|affinity)/.exec(name)?.[1]
    if (kind) for (const { destination } of route) sides.add(`${kind} ${destination?.subset}`)
    if (mirror) sides.add(`mirror ${mirror.subset}`)
    for (const { destination, headers } of kind ? [] : route) {
      if (headers?.response?.add?.['Set-Cookie']) sides.add(`affinity ${destination?.subset}`)
    }
  }
  return [...sides].sort()
}

export function versionOf(side: string): string {
  return side.split(' ')[1] ?? ''
}
