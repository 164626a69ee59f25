import type { Storage } from '../emulator.ts'
import type { KubernetesObject } from './json.ts'
import type { ResourceType } from './resource-type.ts'

/** One change that was stored. For a delete, `object` is the object as it last was. */
export interface Write {
  readonly verb: 'create' | 'update' | 'delete'
  readonly object: KubernetesObject
  readonly previous?: KubernetesObject
}

export type WriteListener = (write: Write) => void

/** Where the objects of a type lie: versions of one group and plural share it. */
export type Place = Pick<ResourceType, 'group' | 'plural'>

/** The objects of one cluster under one counter of revisions, as etcd keeps them. */
export interface ObjectStore {
  /** The revision of the last change; `1` before any. */
  revision(): number
  get(place: Place, namespace: string, name: string): KubernetesObject | undefined
  /** In order of namespace and name; all namespaces when none is given. */
  list(place: Place, namespace?: string): KubernetesObject[]
  /** Stores the object under a new revision, which it returns in the object. */
  put(place: Place, object: KubernetesObject): KubernetesObject
  /** Takes the object away and returns it with the revision of that. */
  remove(place: Place, object: KubernetesObject): KubernetesObject
  onWrite(listener: WriteListener): void
}

/** A store in tables whose names start with `prefix`. Several clusters may share one storage under different prefixes. */
export function objectStore(storage: Storage, prefix: string): ObjectStore {
  const counter = storage.table(`${prefix}/revision`)
  const listeners: WriteListener[] = []
  const tableOf = (place: Place) => storage.table(`${prefix}/objects/${place.group}/${place.plural}`)
  const keyOf = (object: KubernetesObject) => `${object.metadata.namespace ?? ''}/${object.metadata.name ?? ''}`
  const revision = () => Number(counter.get('last') ?? 1)

  /** The counter goes first: a crash in between skips a revision, but none is ever given twice. */
  function stamped(object: KubernetesObject): KubernetesObject {
    const next = revision() + 1
    counter.put('last', next)
    return { ...object, metadata: { ...object.metadata, resourceVersion: String(next) } }
  }
  function tell(write: Write): void {
    for (const listener of listeners) listener(write)
  }

  return {
    revision,
    get: (place, namespace, name) => tableOf(place).get(`${namespace}/${name}`) as KubernetesObject | undefined,
    list(place, namespace) {
      const entries = tableOf(place).entries(namespace === undefined ? '' : `${namespace}/`)
      return [...entries].map(([, value]) => value as KubernetesObject)
    },
    put(place, object) {
      const table = tableOf(place)
      const previous = table.get(keyOf(object)) as KubernetesObject | undefined
      const stored = stamped(object)
      table.put(keyOf(object), stored)
      tell(previous ? { verb: 'update', object: stored, previous } : { verb: 'create', object: stored })
      return stored
    },
    remove(place, object) {
      const removed = stamped(object)
      tableOf(place).delete(keyOf(object))
      tell({ verb: 'delete', object: removed, previous: object })
      return removed
    },
    onWrite(listener) {
      listeners.push(listener)
    },
  }
}
