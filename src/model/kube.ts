/** An object of the Kubernetes API as JSON. Only the parts that Meshwright reads are typed. */
export interface KubeObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: KubeMetadata
  readonly spec?: Readonly<Record<string, unknown>>
  readonly status?: Readonly<Record<string, unknown>>
  readonly [field: string]: unknown
}

export interface KubeMetadata {
  readonly name: string
  readonly namespace?: string
  readonly uid?: string
  readonly resourceVersion?: string
  readonly generation?: number
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  /** RFC 3339, whole seconds. */
  readonly creationTimestamp?: string
  readonly deletionTimestamp?: string
  readonly managedFields?: readonly {
    readonly manager?: string
    readonly operation?: string
    readonly subresource?: string
    /** RFC 3339, whole seconds. */
    readonly time?: string
    /** What the manager owns, as a tree of `f:NAME`. */
    readonly fieldsV1?: Readonly<Record<string, unknown>>
  }[]
  readonly ownerReferences?: readonly {
    readonly kind: string
    readonly name: string
    readonly controller?: boolean
  }[]
}

/** A kind as lists name it. */
export interface KindRef {
  readonly apiVersion: string
  readonly kind: string
}

/** Names one object; `namespace` is absent for objects of the whole cluster. */
export interface KubeRef {
  readonly apiVersion: string
  readonly kind: string
  readonly namespace?: string
  readonly name: string
}

/** `VirtualService shop/web`: an object as messages name it. */
export function describeRef(ref: KubeRef): string {
  return `${ref.kind} ${ref.namespace === undefined ? '' : `${ref.namespace}/`}${ref.name}`
}

export function refOf(object: KubeObject): KubeRef {
  const { namespace, name } = object.metadata
  return { apiVersion: object.apiVersion, kind: object.kind, name, ...(namespace === undefined ? {} : { namespace }) }
}
