import type { Affinity } from '../../model/desired-traffic.ts'
import type { KubeObject } from '../../model/kube.ts'
import { markedMetadata } from '../marks.ts'
import type { RenderInput } from '../provider.ts'
import { SERVICE_SPLITTER } from './names.ts'

/** A split of a ServiceSplitter as we write and read it. */
export interface Split {
  readonly weight?: number
  readonly serviceSubset?: string
  readonly service?: string
  readonly [field: string]: unknown
}

export type Weights = Readonly<Record<string, number>>

/** Whole per cents with the sum 100, as Consul's own check wants them. The candidate's answers set the cookie of affinity. */
export function serviceSplitter(input: RenderInput): KubeObject {
  const { weights, candidate } = input
  const splits = Object.keys(weights)
    .sort()
    .map((version) => ({
      weight: weights[version] ?? 0,
      serviceSubset: version,
      ...(candidate?.affinity && candidate.version === version ? rememberedBy(candidate.affinity) : {}),
    }))
  return { ...SERVICE_SPLITTER, metadata: markedMetadata(input), spec: { splits } }
}

function rememberedBy({ cookie, value, maxAgeMs }: Affinity): Readonly<Record<string, unknown>> {
  const text = `${cookie}=${value}; Path=/; Max-Age=${Math.round(maxAgeMs / 1000)}; HttpOnly; SameSite=Lax`
  // Envoy reads %…% in a header as a variable; the name of a cookie may hold a per cent sign.
  return { responseHeaders: { add: { 'Set-Cookie': text.replaceAll('%', '%%') } } }
}

export function splitsOf(splitter: KubeObject): readonly Split[] {
  const splits = splitter.spec?.splits
  return Array.isArray(splits) ? (splits as Split[]) : []
}

/** Weights by subset of a splitter in the form that we write: each split names one subset of the service itself. */
export function splitWeights(splitter: KubeObject): Weights | undefined {
  const splits = splitsOf(splitter)
  const named = splits.flatMap(({ serviceSubset, service, weight = 0 }) =>
    serviceSubset === undefined || service !== undefined ? [] : [[serviceSubset, weight] as const],
  )
  if (named.length === 0 || named.length < splits.length) return undefined
  const weights = Object.fromEntries(named)
  return Object.keys(weights).length === named.length ? weights : undefined
}

/** A splitter of ours with other weights on the splits that it has. */
export function withWeights(splitter: KubeObject, weights: Weights): KubeObject {
  return withSplits(
    splitter,
    splitsOf(splitter).map((split) => ({ ...split, weight: weights[split.serviceSubset ?? ''] ?? 0 })),
  )
}

/** A splitter of ours that names `versions` too, at weight 0, in the order of names. */
export function withVersions(splitter: KubeObject, versions: readonly string[]): KubeObject {
  const splits = splitsOf(splitter)
  const missing = versions.filter((version) => !splits.some(({ serviceSubset }) => serviceSubset === version))
  const added = missing.map((serviceSubset) => ({ weight: 0, serviceSubset }))
  return missing.length === 0 ? splitter : withSplits(splitter, [...splits, ...added].sort(bySubset))
}

export function withSplits(splitter: KubeObject, splits: readonly Split[]): KubeObject {
  return { ...splitter, spec: { ...splitter.spec, splits } }
}

function bySubset(a: Split, b: Split): number {
  return (a.serviceSubset ?? '') < (b.serviceSubset ?? '') ? -1 : 1
}
