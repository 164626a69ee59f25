import type { Json, JsonObject, KubernetesObject } from './json.ts'
import { isObject, valueAt } from './json.ts'
import type { ResourceType } from './resource-type.ts'
import { free, shapeOfSchema } from './shape.ts'

/**
 * The types that a CustomResourceDefinition object serves, one for each served version. List types, map types and
 * defaults come from its schema; nothing else of the schema is looked at.
 */
export function customResources(definition: KubernetesObject): ResourceType[] {
  const spec = isObject(definition.spec) ? definition.spec : {}
  const names = isObject(spec.names) ? spec.names : {}
  const common = {
    group: text(spec.group),
    kind: text(names.kind),
    plural: text(names.plural),
    singular: text(names.singular),
    namespaced: spec.scope === 'Namespaced',
    shortNames: texts(names.shortNames),
    categories: texts(names.categories),
    custom: true,
    revisionRequired: true,
  }
  const versions = Array.isArray(spec.versions) ? spec.versions.filter(isObject) : []
  return versions
    .filter((version) => version.served === true)
    .map((version) => {
      const status = isObject(valueAt(version, ['subresources', 'status']))
      const schema = valueAt(version, ['schema', 'openAPIV3Schema'])
      const shape = isObject(schema) ? shapeOfSchema(schema) : free
      return {
        ...common,
        version: text(version.name),
        shape,
        status,
        generationOf: status ? allButStatus : allButMetadata,
      }
    })
}

/** What to know about a custom type to define it. */
export interface Definition {
  readonly group: string
  /** The first one is stored. */
  readonly versions: readonly string[]
  readonly kind: string
  readonly plural: string
  readonly namespaced?: boolean
  readonly shortNames?: readonly string[]
  readonly categories?: readonly string[]
  readonly annotations?: Readonly<Record<string, string>>
  readonly labels?: Readonly<Record<string, string>>
  /** The schema of `spec`; without it, an object whose lists are all atomic. */
  readonly spec?: JsonObject
  /** The schema of `status`; without it, anything. */
  readonly status?: JsonObject
}

/** A CustomResourceDefinition object to seed a cluster with; its schema says no more than field ownership needs. */
export function definitionOf(definition: Definition): KubernetesObject {
  const { group, kind, plural, shortNames, categories, annotations, labels } = definition
  const loose = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
  const properties = { spec: definition.spec ?? { type: 'object' }, status: definition.status ?? loose }
  const schema = { type: 'object', properties }
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${plural}.${group}`,
      ...(annotations ? { annotations: { ...annotations } } : {}),
      ...(labels ? { labels: { ...labels } } : {}),
    },
    spec: {
      group,
      scope: definition.namespaced === false ? 'Cluster' : 'Namespaced',
      names: {
        kind,
        plural,
        singular: kind.toLowerCase(),
        ...(shortNames ? { shortNames: [...shortNames] } : {}),
        ...(categories ? { categories: [...categories] } : {}),
      },
      versions: definition.versions.map((name, at) => ({
        name,
        served: true,
        storage: at === 0,
        schema: { openAPIV3Schema: schema },
        subresources: { status: {} },
      })),
    },
  }
}

/** Every change but one of the metadata raises a custom resource's generation. */
function allButMetadata({ apiVersion, kind, metadata, ...rest }: KubernetesObject): Json {
  return rest
}

/** Nor does a status that is a resource of its own. */
function allButStatus({ apiVersion, kind, metadata, status, ...rest }: KubernetesObject): Json {
  return rest
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : ''
}

function texts(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.map(text) : []
}
