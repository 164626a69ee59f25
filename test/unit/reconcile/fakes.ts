import { matchesLabels } from '../../../src/model/active-freezes.ts'
import { canonicalJson } from '../../../src/model/digest.ts'
import { type AnyDocument, type DocumentKind, type DocumentOf, keyOf } from '../../../src/model/documents.ts'
import type { EventRecord } from '../../../src/model/event.ts'
import { type KindRef, type KubeMetadata, type KubeObject, type KubeRef, refOf } from '../../../src/model/kube.ts'
import type { Clock } from '../../../src/ports/clock.ts'
import type { ApplyOptions, ClusterApi, ClusterApis, ListOptions } from '../../../src/ports/cluster-api.ts'
import { PortError } from '../../../src/ports/port-error.ts'
import type { Store, Stored } from '../../../src/ports/store.ts'
import { refKey } from '../../../src/reconcile/content.ts'

/** A clock that stands still until it is moved. */
export class FakeClock implements Clock {
  at = Date.parse('2026-05-01T10:00:00.000Z')
  now(): number {
    return this.at
  }
  async sleep(durationMs: number): Promise<void> {
    this.at += durationMs
  }
}

/** Documents in memory under conditional writes. Outboxes stay until `relay`. */
export class FakeStore implements Store {
  readonly documents = new Map<string, { value: AnyDocument; tag: string }>()
  readonly kept: EventRecord[] = []
  writes = 0
  /** Called before each write; may throw, or write first. */
  beforeWrite: (document: AnyDocument) => void = () => undefined

  put(document: AnyDocument): void {
    this.writes += 1
    this.documents.set(`${document.kind} ${keyOf(document)}`, { value: clone(document), tag: `t${this.writes}` })
  }

  peek<K extends DocumentKind>(kind: K, key: string): DocumentOf[K] | undefined {
    return clone(this.documents.get(`${kind} ${key}`)?.value as DocumentOf[K] | undefined)
  }

  async read<K extends DocumentKind>(kind: K, key: string): Promise<Stored<DocumentOf[K]> | undefined> {
    return clone(this.documents.get(`${kind} ${key}`)) as Stored<DocumentOf[K]> | undefined
  }

  async create<D extends AnyDocument>(document: D): Promise<Stored<D>> {
    this.beforeWrite(document)
    const id = `${document.kind} ${keyOf(document)}`
    if (this.documents.has(id)) throw new PortError('conflict', 'store', `${id} exists`)
    this.put(document)
    return clone(this.documents.get(id)) as Stored<D>
  }

  async replace<D extends AnyDocument>(stored: Stored<D>, next: D): Promise<Stored<D>> {
    this.beforeWrite(next)
    this.check(stored)
    this.put(next)
    return clone(this.documents.get(`${next.kind} ${keyOf(next)}`)) as Stored<D>
  }

  async sendOn({ value }: Stored<AnyDocument>, done: ReadonlySet<string>): Promise<void> {
    const now = this.peek(value.kind, keyOf(value))
    if (now) this.put({ ...now, outbox: now.outbox.filter(({ id }) => !done.has(id)) })
  }

  async remove(stored: Stored<AnyDocument>): Promise<void> {
    this.check(stored)
    this.writes += 1
    this.documents.delete(`${stored.value.kind} ${keyOf(stored.value)}`)
  }

  private check(stored: Stored<AnyDocument>): void {
    const id = `${stored.value.kind} ${keyOf(stored.value)}`
    if (this.documents.get(id)?.tag !== stored.tag) throw new PortError('precondition', 'store', `${id} has changed`)
  }

  async list<K extends DocumentKind>(
    kind: K,
    query: { where?: Readonly<Record<string, unknown>> } = {},
  ): Promise<{ value: readonly Stored<DocumentOf[K]>[] }> {
    const found = [...this.documents.values()].filter(({ value }) => {
      return (
        value.kind === kind &&
        Object.entries(query.where ?? {}).every(([field, wanted]) => (value as never)[field] === wanted)
      )
    })
    return { value: clone(found) as unknown as Stored<DocumentOf[K]>[] }
  }

  async all<K extends DocumentKind>(
    kind: K,
    query: { where?: Readonly<Record<string, unknown>> } = {},
  ): Promise<readonly DocumentOf[K][]> {
    return (await this.list(kind, query)).value.map(({ value }) => value)
  }

  async relay(kind: DocumentKind, key: string): Promise<void> {
    const stored = this.documents.get(`${kind} ${key}`)
    if (stored) this.put({ ...stored.value, outbox: [] })
  }

  async appendAudit(): Promise<void> {}
  async audit(): Promise<{ value: never[] }> {
    return { value: [] }
  }
  async appendEvent(event: EventRecord): Promise<boolean> {
    if (this.kept.some(({ id }) => id === event.id)) return false
    this.kept.push(event)
    return true
  }

  async due(): Promise<never[]> {
    return []
  }
  async unrelayed(): Promise<never[]> {
    return []
  }
  async events(): Promise<{ value: never[] }> {
    return { value: [] }
  }
}

type Tree = Readonly<Record<string, unknown>>

function isMap(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What an apply of a value comes to own: maps field by field, all else as a whole. */
function treeOf(value: unknown): Tree {
  if (!isMap(value)) return {}
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [`f:${name}`, treeOf(field)]))
}

function ownedTree(live: KubeObject | undefined): Tree {
  const ours = live?.metadata.managedFields?.find(({ manager }) => manager === 'meshwright')
  return (ours?.fieldsV1?.['f:spec'] as Tree | undefined) ?? {}
}

/** Maps are merged; what we own and no longer give goes. */
function appliedOver(live: unknown, owned: Tree, given: unknown): unknown {
  if (!isMap(live) || (given !== undefined && !isMap(given))) return given
  const kept = Object.entries(live).flatMap(([name, value]) => {
    if (given?.[name] !== undefined || !Object.hasOwn(owned, `f:${name}`)) return [[name, value]]
    const tree = owned[`f:${name}`] as Tree
    if (!isMap(value) || Object.keys(tree).length === 0) return []
    const rest = appliedOver(value, tree, {}) as Tree
    return Object.keys(rest).length === 0 ? [] : [[name, rest]]
  })
  const base = Object.fromEntries(kept) as Record<string, unknown>
  for (const [name, value] of Object.entries(given ?? {})) {
    base[name] = appliedOver(base[name], (owned[`f:${name}`] as Tree | undefined) ?? {}, value)
  }
  return base
}

/** A cluster in memory: server-side apply with owners of `spec` as a whole, uids, generations, preconditions. */
export class FakeCluster implements ClusterApi, ClusterApis {
  readonly objects = new Map<string, KubeObject>()
  /** `apply VirtualService`, `list Pod`… since the last `forget`. */
  log: string[] = []
  /** Called before each request; may throw. */
  before: (request: string, ref: KubeRef | undefined) => void = () => undefined
  /** Called after a write took effect, before it is answered; may throw. */
  afterWrite: (request: string) => void = () => undefined
  /** By `namespace/name` of the Pod: what it wrote, or why that cannot be read. */
  readonly podLogs = new Map<string, string | PortError>()
  private counter = 0

  async connect(): Promise<ClusterApi> {
    return this
  }

  forget(): string[] {
    return this.log.splice(0)
  }

  private note(request: string, ref?: KubeRef): void {
    this.log.push(request)
    this.before(request, ref)
  }

  peek(kind: string, name: string): KubeObject | undefined {
    return clone([...this.objects.values()].find((object) => object.kind === kind && object.metadata.name === name))
  }

  async get(ref: KubeRef): Promise<KubeObject | undefined> {
    this.note(`get ${ref.kind}`, ref)
    return clone(this.objects.get(refKey(ref)))
  }

  async list(kind: KindRef, options: ListOptions = {}): Promise<readonly KubeObject[]> {
    this.note(`list ${kind.kind}`)
    return clone(this.select(kind, options))
  }

  async listMetadata(
    kind: KindRef,
    options: ListOptions = {},
  ): Promise<readonly { apiVersion: string; kind: string; metadata: KubeMetadata }[]> {
    this.note(`listMetadata ${kind.kind}`)
    return clone(this.select(kind, options)).map(({ apiVersion, kind, metadata }) => ({ apiVersion, kind, metadata }))
  }

  private select(kind: KindRef, { namespace, labelSelector, fieldSelector = '' }: ListOptions): KubeObject[] {
    return [...this.objects.values()].filter((object) => {
      if (object.kind !== kind.kind || object.apiVersion !== kind.apiVersion) return false
      if (namespace !== undefined && object.metadata.namespace !== namespace) return false
      if (!meetsFields(fieldSelector, object)) return false
      return labelSelector === undefined || selects(labelSelector, object.metadata.labels ?? {})
    })
  }

  async apply(object: KubeObject, options: ApplyOptions): Promise<KubeObject> {
    this.note(`${options.dryRun ? 'dryRun' : 'apply'} ${object.kind}`, refOf(object))
    const key = refKey(refOf(object))
    const live = this.objects.get(key)
    const { uid, resourceVersion } = object.metadata
    if (
      (uid !== undefined && live?.metadata.uid !== uid) ||
      (resourceVersion !== undefined && live !== undefined && live.metadata.resourceVersion !== resourceVersion)
    ) {
      throw new PortError('precondition', 'Kubernetes', `${key} has changed`)
    }
    const other = (live?.metadata.managedFields ?? []).find(
      ({ manager, fieldsV1 }) => manager !== 'meshwright' && fieldsV1?.['f:spec'],
    )
    if (other && !options.force && canonicalJson({ ...live?.spec, ...object.spec }) !== canonicalJson(live?.spec)) {
      throw new PortError('conflict', 'Kubernetes', `conflict with "${other.manager}": .spec`, {
        reason: 'FieldManagerConflict',
      })
    }
    const next = this.merged(live, object, options.force)
    if (!options.dryRun) this.objects.set(key, next)
    this.afterWrite(`apply ${object.kind}`)
    return clone(next)
  }

  private merged(live: KubeObject | undefined, object: KubeObject, force: boolean): KubeObject {
    const spec = appliedOver(live?.spec, ownedTree(live), object.spec ?? {}) as NonNullable<KubeObject['spec']>
    const changed = canonicalJson([spec, object.data]) !== canonicalJson([live?.spec ?? {}, live?.data])
    const { uid: _u, resourceVersion: _r, ...metadata } = object.metadata
    const labels = { ...live?.metadata.labels, ...metadata.labels }
    const annotations = { ...live?.metadata.annotations, ...metadata.annotations }
    const same =
      live &&
      !changed &&
      canonicalJson([labels, annotations]) === canonicalJson([live.metadata.labels, live.metadata.annotations])
    if (same) return live
    // Who set the same value owns it too, until a force takes it.
    const others = (live?.metadata.managedFields ?? []).filter(({ manager }) => manager !== 'meshwright' && !force)
    this.counter += 1
    return {
      ...live,
      ...object,
      spec,
      metadata: {
        ...live?.metadata,
        ...metadata,
        labels,
        annotations,
        uid: live?.metadata.uid ?? `uid-${this.counter}`,
        resourceVersion: `rv-${this.counter}`,
        generation: (live?.metadata.generation ?? 0) + (changed ? 1 : 0),
        managedFields: [
          { manager: 'meshwright', operation: 'Apply', fieldsV1: { 'f:spec': treeOf(object.spec) } },
          ...others,
        ],
      },
    }
  }

  async remove(ref: KubeRef, uid: string, resourceVersion?: string): Promise<void> {
    this.note(`remove ${ref.kind}`, ref)
    const live = this.objects.get(refKey(ref))
    if (live && live.metadata.uid !== uid)
      throw new PortError('precondition', 'Kubernetes', `${refKey(ref)} is another`)
    if (live && resourceVersion !== undefined && live.metadata.resourceVersion !== resourceVersion)
      throw new PortError('precondition', 'Kubernetes', `${refKey(ref)} has changed`)
    this.objects.delete(refKey(ref))
    this.afterWrite(`remove ${ref.kind}`)
  }

  async podLog({ namespace, name }: { readonly namespace: string; readonly name: string }): Promise<string> {
    this.note('podLog')
    const said = this.podLogs.get(`${namespace}/${name}`) ?? ''
    if (said instanceof PortError) throw said
    return said
  }

  async version(): Promise<string> {
    return 'v1.36.3'
  }
  async mayI(): Promise<boolean> {
    return true
  }

  /** Creates or changes an object as another manager. */
  edit(manager: string, object: KubeObject): KubeObject {
    this.counter += 1
    const live = this.objects.get(refKey(refOf(object)))
    const changed = canonicalJson([live?.spec, live?.data]) !== canonicalJson([object.spec, object.data])
    const next: KubeObject = {
      ...object,
      metadata: {
        ...object.metadata,
        uid: live?.metadata.uid ?? `uid-${this.counter}`,
        resourceVersion: `rv-${this.counter}`,
        generation: (live?.metadata.generation ?? 0) + (changed ? 1 : 0),
        managedFields: changed
          ? [{ manager, operation: 'Update', fieldsV1: { [object.data ? 'f:data' : 'f:spec']: {} } }]
          : (live?.metadata.managedFields ?? []),
      },
    }
    this.objects.set(refKey(refOf(object)), next)
    return clone(next)
  }

  /** Changes an object that is there as another manager. */
  change(manager: string, kind: string, name: string, mutate: (object: KubeObject) => KubeObject): void {
    const live = this.peek(kind, name)
    if (!live) throw new Error(`no ${kind} ${name}`)
    this.edit(manager, mutate(live))
  }
}

function selects(selector: string, labels: Readonly<Record<string, string>>): boolean {
  return selector.split(/,(?![^(]*\))/).every((part) => {
    const [, key = '', values] = /^(\S+) in \((.*)\)$/.exec(part) ?? []
    if (values !== undefined) return values.split(',').includes(labels[key] ?? '')
    const [name = '', value] = part.split('=')
    if (value === undefined) return labels[name] !== undefined
    return matchesLabels(labels, { [name]: value })
  })
}

/** Of names and phases, and of what events tell of. */
function meetsFields(selector: string, { metadata: { name }, status, involvedObject }: KubeObject): boolean {
  const fields: Readonly<Record<string, unknown>> = {
    'metadata.name': name,
    'status.phase': status?.phase,
    'involvedObject.name': (involvedObject as { readonly name?: string } | undefined)?.name,
  }
  return selector
    .split(',')
    .filter(Boolean)
    .every((part) => {
      const [, field = '', not, value] = /^([\w.]+)(!?)=(.*)$/.exec(part) ?? []
      return (fields[field] === value) === (not === '')
    })
}

function clone<T>(value: T): T {
  return value === undefined ? value : structuredClone(value)
}
