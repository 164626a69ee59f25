import type { KubeObject } from '../../model/kube.ts'
import { markedMetadata } from '../marks.ts'
import type { RenderInput } from '../provider.ts'
import { versionServiceNames } from '../version-services.ts'
import { BACKENDS, TRAFFIC_SPLIT } from './names.ts'

export type Weights = Readonly<Record<string, number>>
export type Backends = Readonly<Record<string, string>>

interface Backend {
  readonly service?: string
  readonly weight?: number
}

/** Whole per cents by the Services of versions. The mesh wants each weight above 0, so versions without requests are left out. */
export function trafficSplit(input: RenderInput): KubeObject {
  const names = versionServiceNames(input)
  const versions = Object.keys(input.weights).sort()
  const backends = Object.fromEntries(versions.map((version) => [version, names[version] ?? '']))
  const metadata = markedMetadata(input)
  const bare = { ...TRAFFIC_SPLIT, metadata, spec: { service: input.name } }
  return withSplit(bare, backends, input.weights)
}

/** A split of ours with these Services and weights. */
export function withSplit(split: KubeObject, backends: Backends, weights: Weights): KubeObject {
  const versions = Object.keys(backends).sort()
  const annotations = {
    ...split.metadata.annotations,
    [BACKENDS]: versions.map((version) => `${version}=${backends[version]}`).join(','),
  }
  const parts = versions
    .filter((version) => (weights[version] ?? 0) > 0)
    .map((version) => ({ service: backends[version], weight: weights[version] }))
  return { ...split, metadata: { ...split.metadata, annotations }, spec: { ...split.spec, backends: parts } }
}

/** The Services of versions that a split of ours knows; undefined when it says nothing of them. */
export function backendsOf(split: KubeObject): Backends | undefined {
  const text = split.metadata.annotations?.[BACKENDS]
  if (!text) return undefined
  return Object.fromEntries(text.split(',').map((pair) => pair.split('=') as [string, string]))
}

/** Weights by version, 0 for those that a split in the form that we write leaves out; undefined for another's. */
export function splitWeights(split: KubeObject): Weights | undefined {
  const known = backendsOf(split)
  if (!known) return undefined
  const versions = new Map(Object.entries(known).map(([version, service]) => [service, version]))
  const weights: Record<string, number> = Object.fromEntries(Object.keys(known).map((version) => [version, 0]))
  const parts = Array.isArray(split.spec?.backends) ? (split.spec.backends as Backend[]) : []
  for (const { service = '', weight = 0 } of parts) {
    const version = versions.get(service)
    if (version === undefined) return undefined
    weights[version] = (weights[version] ?? 0) + weight
  }
  return weights
}
