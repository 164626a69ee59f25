import { customResources } from './custom-resources.ts'
import type { ResourceType } from './resource-type.ts'
import { apiVersionOf } from './resource-type.ts'
import type { Shape } from './shape.ts'
import { objectMeta } from './shape.ts'
import { resourceText } from './status.ts'
import type { ObjectStore } from './store.ts'

/** Where CustomResourceDefinition objects lie. */
export const definitions = { group: 'apiextensions.k8s.io', plural: 'customresourcedefinitions' }

/** The types a cluster serves now: the built-in ones and those of the CustomResourceDefinitions on it. */
export interface Registry {
  all(): readonly ResourceType[]
  /** By path, for example `apps`, `v1`, `deployments`. */
  find(group: string, version: string, plural: string): ResourceType | undefined
  /** By what an object says of itself. */
  ofKind(apiVersion: string, kind: string): ResourceType | undefined
}

/** The definitions are read again only after one of them changed. */
export function registryOf(store: ObjectStore, builtIn: readonly ResourceType[]): Registry {
  const own = builtIn.map(withMetadata)
  let known: readonly ResourceType[] | undefined
  store.onWrite(({ object }) => {
    if (object.kind === 'CustomResourceDefinition') known = undefined
  })
  const all = (): readonly ResourceType[] => {
    known ??= [...own, ...store.list(definitions).flatMap(customResources).map(withMetadata)]
    return known
  }
  return {
    all,
    find: (group, version, plural) =>
      all().find((type) => type.group === group && type.version === version && type.plural === plural),
    ofKind: (apiVersion, kind) => all().find((type) => apiVersionOf(type) === apiVersion && type.kind === kind),
  }
}

/** Whether the group is one that the API server itself brings along: its unknown paths answer differently. */
export function isBuiltInGroup(registry: Registry, group: string): boolean {
  return group === 'authorization.k8s.io' || registry.all().some((type) => type.group === group && !type.custom)
}

/** Each group and plural once, in whatever version. */
export function places(registry: Registry): ResourceType[] {
  return [...new Map(registry.all().map((type) => [resourceText(type), type])).values()]
}

function withMetadata(type: ResourceType): ResourceType {
  const shape: Shape = { ...type.shape, fields: { ...type.shape.fields, metadata: objectMeta } }
  return { ...type, shape }
}
