import type { ItemResponse } from '@azure/cosmos'
import { type AnyDocument, type DocumentKind, type DocumentOf, keyOf, partitionOf } from '../../model/documents.ts'
import type { Clock } from '../../ports/clock.ts'
import { isPortError, PortError } from '../../ports/port-error.ts'
import type { AllQuery, LeftBehind, ListQuery, Page, Stored } from '../../ports/store.ts'
import { withDeadline } from '../deadline.ts'
import { once } from '../once.ts'
import type { PlainStore } from '../relaying-store.ts'
import { appendAudit, readAudit } from './cosmos-audit.ts'
import { type CosmosContainers, type CosmosSettings, openCosmos } from './cosmos-client.ts'
import { appendEvent, readEvents } from './cosmos-events.ts'
import { COSMOS, cosmosFailure, missing } from './cosmos-failure.ts'
import { type Condition, fieldPath, queryAll, selectAll, selectTop, startsWith } from './cosmos-query.ts'
import { fromWire, keepUnknownFields, placeOf, stored, toWire, type WireDocument } from './wire-document.ts'

const operationDeadlineMs = 10_000
/** For what takes a request for each thousand documents. */
const longDeadlineMs = 60_000
const sessionHeader = 'x-ms-session-token'

type Call = <T>(
  run: (containers: CosmosContainers, signal: AbortSignal) => Promise<T>,
  deadlineMs?: number,
) => Promise<T>
type Reference = { kind: DocumentKind; key: string }

/**
 * The store on Cosmos DB: one item a document, one conditional request a write. Every call ends within ten seconds, `all`
 * within a minute.
 * A write whose answer was lost may come back as `unavailable`, or as `conflict` or `precondition` from a repeated try
 * of the caller: read again to see which.
 */
export function cosmosStore(settings: CosmosSettings, clock: Clock): PlainStore {
  const containers = once(() => openCosmos(settings))
  const call: Call = async (run, deadlineMs = operationDeadlineMs) => {
    try {
      return await withDeadline(clock, deadlineMs, COSMOS, async (signal) => run(await containers(), signal))
    } catch (error) {
      throw cosmosFailure(error)
    }
  }
  return {
    read: (kind, key, session) => call((to, signal) => readDocument(to, kind, key, session, signal)),
    create: (document) => call((to, signal) => createDocument(to, document, signal)),
    replace: (before, next) => call((to, signal) => replaceDocument(to, before, next, signal)),
    remove: (before) => call((to, signal) => removeDocument(to, before, signal)),
    list: (kind, query = {}) => call((to, signal) => listDocuments(to, kind, query, signal)),
    all: (kind, query = {}) => call((to, signal) => allDocuments(to, kind, query, signal), longDeadlineMs),
    due: (now, limit) => call((to, signal) => findDue(to, now, limit, signal)),
    unrelayed: (before, limit) => call((to, signal) => findUnrelayed(to, before, limit, signal)),
    appendEvent: (event) => call((to, signal) => appendEvent(to.events, event, signal)),
    events: (query) => call((to, signal) => readEvents(to.events, query, clock.now(), signal)),
    appendAudit: (record) => call((to, signal) => appendAudit(to.audit, record, signal)),
    audit: (query) => call((to, signal) => readAudit(to.audit, query, clock.now(), signal)),
  }
}

async function readDocument<K extends DocumentKind>(
  { state }: CosmosContainers,
  kind: K,
  key: string,
  session: string | undefined,
  abortSignal: AbortSignal,
): Promise<Stored<DocumentOf[K]> | undefined> {
  const { id, pk } = placeOf(kind, key)
  const options = { abortSignal, ...(session === undefined ? {} : { sessionToken: session }) }
  const answer = await state.item(id, pk).read<WireDocument>(options)
  if (answer.statusCode !== 404 && answer.resource !== undefined) {
    // A document of another kind may have the name.
    if (answer.resource.kind !== kind) return undefined
    return stored(fromWire<DocumentOf[K]>(answer.resource), tagOf(answer), sessionOf(answer))
  }
  const failure = missing(answer.substatus)
  if (failure.kind === 'not-found') return undefined
  throw failure
}

async function createDocument<D extends AnyDocument>(
  { state }: CosmosContainers,
  document: D,
  abortSignal: AbortSignal,
): Promise<Stored<D>> {
  const answer = await state.items.create(toWire(document), { abortSignal })
  return stored(document, tagOf(answer), sessionOf(answer))
}

async function replaceDocument<D extends AnyDocument>(
  { state }: CosmosContainers,
  before: Stored<D>,
  next: D,
  abortSignal: AbortSignal,
): Promise<Stored<D>> {
  requireSameKey(before.value, next)
  const value = keepUnknownFields(before.value, next)
  const wire = toWire(value)
  const condition = { accessCondition: { type: 'IfMatch' as const, condition: before.tag }, abortSignal }
  try {
    const answer = await state.item(wire.id, wire.pk).replace(wire, condition)
    return stored(value, tagOf(answer), sessionOf(answer))
  } catch (error) {
    throw goneIsPrecondition(cosmosFailure(error), next)
  }
}

async function removeDocument(
  { state }: CosmosContainers,
  before: Stored<AnyDocument>,
  abortSignal: AbortSignal,
): Promise<void> {
  const { id, pk } = placeOf(before.value.kind, keyOf(before.value))
  const condition = { accessCondition: { type: 'IfMatch' as const, condition: before.tag }, abortSignal }
  try {
    await state.item(id, pk).delete(condition)
  } catch (error) {
    const failure = cosmosFailure(error)
    // Gone already: what the caller wants. A removal whose answer was lost looks like this when it is tried again.
    if (!isPortError(failure, 'not-found')) throw failure
  }
}

async function listDocuments<K extends DocumentKind>(
  { state }: CosmosContainers,
  kind: K,
  query: ListQuery,
  signal: AbortSignal,
): Promise<Page<Stored<DocumentOf[K]>>> {
  const limit = Math.min(Math.max(query.limit ?? 100, 1), 1000)
  const partition = partitionOfPrefix(kind, query.prefix)
  const conditions = conditionsOf(kind, query, partition)
  const select = selectTop(limit + 1, '*', conditions, 'c.key')
  const rows = await queryAll<WireDocument>(state, select, { partition, signal })
  const page = rows.slice(0, limit)
  const last = page.at(-1)
  const value = page.map((row) => stored(fromWire<DocumentOf[K]>(row), row._etag ?? '', undefined))
  return rows.length > limit && last ? { value, next: last.key } : { value }
}

/**
 * A query that neither orders nor counts is answered by the gateway in one request; one that does costs its plan, the
 * ranges, and a request to each, however few the documents are.
 */
async function allDocuments<K extends DocumentKind>(
  { state }: CosmosContainers,
  kind: K,
  query: AllQuery,
  signal: AbortSignal,
): Promise<readonly DocumentOf[K][]> {
  const partition = partitionOfPrefix(kind, query.prefix)
  const filled =
    query.filled === undefined ? [] : [{ text: `ARRAY_LENGTH(${fieldPath(query.filled)}) > 0`, values: {} }]
  const select = selectAll([...conditionsOf(kind, query, partition), ...filled])
  const rows = await queryAll<WireDocument>(state, select, { partition, signal, pageSize: 1000 })
  return rows.toSorted((a, b) => (a.key < b.key ? -1 : 1)).map((row) => fromWire<DocumentOf[K]>(row))
}

function conditionsOf(kind: DocumentKind, query: ListQuery, partition: string | undefined): readonly Condition[] {
  const conditions: Condition[] = [{ text: 'c.kind = @kind', values: { '@kind': kind } }]
  if (partition !== undefined) conditions.push({ text: 'c.pk = @pk', values: { '@pk': partition } })
  if (query.prefix) conditions.push(startsWith(query.prefix))
  if (query.after !== undefined) conditions.push({ text: 'c.key > @after', values: { '@after': query.after } })
  for (const [index, [path, value]] of Object.entries(query.where ?? {}).entries()) {
    conditions.push({ text: `${fieldPath(path)} = @w${index}`, values: { [`@w${index}`]: value } })
  }
  return conditions
}

function findDue(to: CosmosContainers, now: string, limit: number, signal: AbortSignal): Promise<readonly Reference[]> {
  const due = { text: 'c.dueAt <= @now', values: { '@now': now } }
  return queryAll(to.state, selectTop(limit, 'c.kind, c.key', [due], 'c.dueAt'), { signal })
}

async function findUnrelayed(
  to: CosmosContainers,
  before: string,
  limit: number,
  signal: AbortSignal,
): Promise<readonly LeftBehind[]> {
  const waiting = { text: 'c.unrelayed = true', values: {} }
  // `_ts` is the time of the last write in whole seconds.
  const old = { text: 'c._ts < @before', values: { '@before': Math.floor(Date.parse(before) / 1000) } }
  const query = selectTop(limit, 'c.kind, c.key, c._ts', [waiting, old], 'c._ts')
  const rows = await queryAll<Reference & { readonly _ts: number }>(to.state, query, { signal })
  return rows.map(({ kind, key, _ts }) => ({ kind, key, writtenMs: _ts * 1000 }))
}

/** The partition that holds every key with this prefix, when there is one: `shop/web/` of placements and rollouts. */
function partitionOfPrefix(kind: DocumentKind, prefix = ''): string | undefined {
  const oneService = (kind === 'placement' || kind === 'rollout') && prefix.split('/').length >= 3
  return oneService ? partitionOf(kind, prefix) : undefined
}

function requireSameKey(before: AnyDocument, next: AnyDocument): void {
  if (before.kind === next.kind && keyOf(before) === keyOf(next)) return
  throw new PortError('invalid', COSMOS, `${next.kind} ${keyOf(next)} cannot replace ${before.kind} ${keyOf(before)}`)
}

function goneIsPrecondition(failure: PortError, document: AnyDocument): PortError {
  if (failure.kind !== 'not-found') return failure
  return new PortError('precondition', COSMOS, `${document.kind} ${keyOf(document)} was removed`, { reason: 'Removed' })
}

type Answer = Pick<ItemResponse<WireDocument>, 'etag' | 'headers'>

function tagOf(answer: Answer): string {
  return answer.etag
}

function sessionOf(answer: Answer): string | undefined {
  const token = answer.headers[sessionHeader]
  return typeof token === 'string' ? token : undefined
}
