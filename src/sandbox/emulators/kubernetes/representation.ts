import type { EmulatorRequest } from '../emulator.ts'
import type { JsonObject, KubernetesObject } from './json.ts'
import type { Page } from './paging.ts'
import type { ResourceType } from './resource-type.ts'
import { apiVersionOf } from './resource-type.ts'
import { failure } from './status.ts'

/** What the client asked to see of objects. */
export type Representation = 'whole' | 'metadata'

/**
 * The first representation in `Accept` that the emulator can give for one object or for a list; `Table` it cannot.
 * Throws KubernetesError 406.
 */
export function negotiate(request: EmulatorRequest, of: 'object' | 'list'): Representation {
  const accepted = (request.headers.accept || '*/*').split(',').map((entry) => entry.split(';').map((p) => p.trim()))
  const partial = of === 'list' ? 'PartialObjectMetadataList' : 'PartialObjectMetadata'
  for (const [media = '', ...parameters] of accepted) {
    if (!['application/json', 'application/*', '*/*'].includes(media)) continue
    const as = parameters.find((parameter) => parameter.startsWith('as='))?.slice(3)
    if (as === undefined) return 'whole'
    if (as === partial && parameters.includes('g=meta.k8s.io') && parameters.includes('v=v1')) return 'metadata'
  }
  throw failure(406, 'NotAcceptable', 'only the following media types are accepted: application/json')
}

/** One object as the client wants to see it. */
export function showObject(type: ResourceType, object: KubernetesObject, as: Representation): JsonObject {
  if (as === 'metadata') return partialOf(object)
  return { ...object, apiVersion: apiVersionOf(type), kind: type.kind }
}

/** A list. Items of built-in types do not say what they are, as the real server leaves it out. */
export function showList(type: ResourceType, page: Page, as: Representation): JsonObject {
  const { items, resourceVersion, continue: token, remainingItemCount } = page
  const metadata = {
    ...(token || (type.custom && as === 'whole') ? { continue: token ?? '' } : {}),
    ...(remainingItemCount === undefined ? {} : { remainingItemCount }),
    resourceVersion,
  }
  if (as === 'metadata') {
    const head = { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1' }
    return { ...head, metadata, items: items.map(partialOf) }
  }
  const shown = items.map((item) => {
    const { apiVersion, kind, ...rest } = item
    return type.custom ? showObject(type, item, as) : rest
  })
  return { kind: `${type.kind}List`, apiVersion: apiVersionOf(type), metadata, items: shown }
}

function partialOf({ metadata }: KubernetesObject): JsonObject {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata }
}
