import type { Json, JsonObject, KubernetesObject } from './json.ts'
import type { Shape } from './shape.ts'
import type { FieldError } from './status.ts'

/** One kind of objects in one version, as the API serves it. Versions of one group and plural share their objects. */
export interface ResourceType {
  /** Empty for the core group. */
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly plural: string
  readonly singular: string
  readonly namespaced: boolean
  readonly shortNames?: readonly string[]
  readonly categories?: readonly string[]
  /** Ownership, list types and defaults of the whole object. `metadata` is added to it. */
  readonly shape: Shape
  /** Whether `/status` is a resource of its own; writes to the object itself then leave the status as it is. */
  readonly status: boolean
  /** The status of a new object, whatever its creator sent. */
  readonly initialStatus?: JsonObject
  /** The part of an object whose change raises `metadata.generation`; without it objects have no generation. */
  readonly generationOf?: (object: KubernetesObject) => Json
  /** Custom resources keep empty parts as sent, and refuse nulls. */
  readonly custom: boolean
  /** A PUT must name the revision it replaces. */
  readonly revisionRequired?: boolean
  /** A PUT makes the object when it is not there. */
  readonly putCreates?: boolean
  readonly names?: 'label' | 'subdomain'
  /** What the type's empty Go struct serialises to: a creator owns nothing of it by itself. */
  readonly zero?: JsonObject
  /** Paths (`spec.selector`) that are left out when empty. */
  readonly omitEmpty?: readonly string[]
  /** Fields besides name and namespace that a fieldSelector may name, for example `status.phase`. */
  readonly selectable?: readonly string[]
  /** DELETE answers with the object, not with a Status. */
  readonly deleteAnswersObject?: boolean
  /** Defaults that depend on other fields, in place; runs after those of the shape, before ownership is settled. */
  readonly complete?: (object: KubernetesObject) => void
  /** What Go's JSON decoder says against a body of the type; undefined when it can be read. */
  readonly undecodable?: (object: KubernetesObject) => string | undefined
  /** What is wrong with an object to be stored, besides its metadata. `live` is what it replaces. */
  readonly validate?: (object: KubernetesObject, live: KubernetesObject | undefined) => readonly FieldError[]
  /** What the server decides when it stores an object, in place; nobody owns it. */
  readonly allocate?: (object: KubernetesObject, live: KubernetesObject | undefined, random: () => number) => void
}

/** `v1` or `apps/v1`. */
export function apiVersionOf(type: Pick<ResourceType, 'group' | 'version'>): string {
  return type.group ? `${type.group}/${type.version}` : type.version
}
