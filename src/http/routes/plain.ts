import type * as z from 'zod'
import { missingRole } from '../../model/access.ts'
import { entityTag } from '../../model/digest.ts'
import type { DocumentOf } from '../../model/documents.ts'
import { type FailureCode, type Result, succeed } from '../../model/failure.ts'
import type { Role } from '../../model/identity.ts'
import type { RequestContext } from '../../model/request.ts'
import type { PutOutcome } from '../../ports/put-document.ts'
import type { PlainKind } from '../../ports/put-plain-document.ts'
import type { Store } from '../../ports/store.ts'
import type { HttpDeps } from '../http-deps.ts'
import { decodePlace, encodePlace, limitOf, listOf, pageAnswer, pageQuery } from '../paging.ts'
import { type Answer, type Call, type Route, route } from '../route.ts'
import { READ_ONLY } from '../views/common.ts'
import { viewPlain } from '../views/plain-views.ts'
import { found, patchOwned, patchSchema, putAnswer } from './owned.ts'

type SpecOf<K extends PlainKind> = DocumentOf[K]['spec']

/** What differs between the kinds of plain documents. */
export interface PlainResource<K extends PlainKind> {
  readonly kind: K
  /** `/teams`; one of them is at `/teams/{team}`. */
  readonly collection: string
  readonly parameter: string
  /** `Team`: the last part of operation ids. */
  readonly noun: string
  readonly plural: string
  readonly writers: readonly Role[]
  readonly schema: z.ZodType<SpecOf<K>>
  readonly view: z.ZodType
  readonly example: unknown
  readonly descriptions: { readonly put: string; readonly delete: string }
  /** How a write may fail beyond what every write may. */
  readonly refusals?: readonly FailureCode[]
  /** Shown though nobody stored them, by name. */
  readonly builtIns?: Readonly<Record<string, SpecOf<K>>>
  /** What of it readers see who may not write it; all when left out. */
  readonly forReaders?: <V>(view: V) => V
  put(
    deps: HttpDeps,
    name: string,
    spec: SpecOf<K>,
    context: RequestContext,
  ): Promise<Result<PutOutcome<DocumentOf[K]>>>
  remove(deps: HttpDeps, name: string, context: RequestContext): Promise<Result<undefined>>
}

/** List, GET, PUT, PATCH and DELETE of a kind that nothing on a cluster hangs on. */
export function plainRoutes<K extends PlainKind>(resource: PlainResource<K>): readonly Route[] {
  const { collection, parameter, noun, plural, kind, view, writers, example, schema, refusals = [] } = resource
  const common = { tag: plural, path: `${collection}/{${parameter}}` }
  const body = { readOnly: [...READ_ONLY, 'builtIn'], example }
  const one = { description: `The ${kind}`, schema: view }
  return [
    route({
      ...common,
      method: 'GET',
      path: collection,
      operationId: `list${plural}`,
      summary: `List ${plural.toLowerCase()}`,
      access: 'any',
      query: pageQuery,
      answers: { 200: { description: 'One page', schema: listOf(view) } },
      handle: (call) => list(resource, call),
    }),
    route({
      ...common,
      method: 'GET',
      operationId: `get${noun}`,
      summary: `Show a ${kind}`,
      access: 'any',
      answers: { 200: one },
      failures: ['NotFound'],
      handle: (call) => show(resource, call),
    }),
    route({
      ...common,
      method: 'PUT',
      operationId: `put${noun}`,
      summary: `Create or replace a ${kind}`,
      description: resource.descriptions.put,
      access: writers,
      body: { ...body, schema },
      conditional: true,
      repeatable: true,
      answers: { 200: one, 201: { ...one, description: `The new ${kind}` } },
      failures: ['WriteConflict', ...refusals],
      handle: async (call) => putResult(resource, call, await put(resource, call, call.body)),
    }),
    route({
      ...common,
      method: 'PATCH',
      operationId: `patch${noun}`,
      summary: `Change a ${kind}`,
      access: writers,
      body: { ...body, schema: patchSchema, media: 'merge', example: {} },
      conditional: true,
      repeatable: true,
      answers: { 200: one, ...(resource.builtIns ? { 201: { ...one, description: `The new ${kind}` } } : {}) },
      failures: ['NotFound', 'WriteConflict', ...refusals],
      handle: async (call) => putResult(resource, call, await patch(resource, call)),
    }),
    route({
      ...common,
      method: 'DELETE',
      operationId: `delete${noun}`,
      summary: `Remove a ${kind}`,
      description: resource.descriptions.delete,
      access: writers,
      conditional: true,
      answers: { 204: { description: 'It is gone' } },
      failures: kind === 'team' ? ['NotFound', 'InUse', 'WriteConflict'] : ['NotFound', 'WriteConflict'],
      handle: (call) => remove(resource, call),
    }),
  ]
}

type AnyCall = Call<unknown, unknown>

function nameOf(resource: { readonly parameter: string }, call: AnyCall): string {
  return call.params[resource.parameter] ?? ''
}

async function list<K extends PlainKind>(
  resource: PlainResource<K>,
  call: Call<unknown, z.infer<typeof pageQuery>>,
): Promise<Result<Answer>> {
  const after = decodePlace(call.query.after)
  if (!after.ok) return after
  const limit = limitOf(call.query)
  const { store } = call.deps
  const page = await store.list(resource.kind, { limit, ...(after.value === undefined ? {} : { after: after.value }) })
  const views = page.value.map(({ value }) => viewPlain(value as DocumentOf[PlainKind]))
  const shown = after.value === undefined ? [...(await unstored(resource, store)), ...views] : views
  return pageAnswer(
    call.request,
    asSeen(resource, call, shown),
    page.next === undefined ? undefined : encodePlace(page.next),
  )
}

async function show<K extends PlainKind>(resource: PlainResource<K>, call: AnyCall): Promise<Result<Answer>> {
  const name = nameOf(resource, call)
  const stored = await call.deps.store.read(resource.kind, name)
  const builtIn = builtInOf(resource, name)
  if (!stored && builtIn) {
    return succeed({ status: 200, json: viewBuiltIn(name, builtIn), etag: entityTag(name, builtIn) })
  }
  return found(resource.kind, name, stored?.value, (document) => ({
    status: 200,
    json: asSeen(resource, call, viewPlain(document as DocumentOf[PlainKind])),
    etag: entityTag(name, document.spec),
  }))
}

function asSeen<K extends PlainKind, V>({ forReaders, writers }: PlainResource<K>, { caller }: AnyCall, view: V): V {
  return forReaders === undefined || missingRole(caller, writers) === undefined ? view : forReaders(view)
}

async function remove<K extends PlainKind>(resource: PlainResource<K>, call: AnyCall): Promise<Result<Answer>> {
  const removed = await resource.remove(call.deps, nameOf(resource, call), call.context)
  return removed.ok ? succeed({ status: 204 }) : removed
}

function viewBuiltIn(name: string, spec: object) {
  return { name, ...spec, generation: 0, builtIn: true }
}

function builtInOf<K extends PlainKind>({ builtIns }: PlainResource<K>, name: string): SpecOf<K> | undefined {
  return builtIns !== undefined && Object.hasOwn(builtIns, name) ? builtIns[name] : undefined
}

/** The built-in ones in whose place nobody has stored another. */
async function unstored<K extends PlainKind>(resource: PlainResource<K>, store: Store) {
  const built = await Promise.all(
    Object.entries(resource.builtIns ?? {}).map(async ([name, spec]) => {
      return (await store.read(resource.kind, name)) ? [] : [viewBuiltIn(name, spec as object)]
    }),
  )
  return built.flat()
}

/** A built-in that is not stored counts as being there for If-Match: its first write creates it. */
async function put<K extends PlainKind>(
  resource: PlainResource<K>,
  call: AnyCall,
  spec: SpecOf<K>,
  context: RequestContext = call.context,
): Promise<Result<PutOutcome<DocumentOf[K]>>> {
  const name = nameOf(resource, call)
  const builtIn = builtInOf(resource, name)
  const matches =
    builtIn !== undefined &&
    context.ifMatch?.some((tag) => tag === '*' || tag === entityTag(name, builtIn)) === true &&
    !(await call.deps.store.read(resource.kind, name))
  if (!matches) return resource.put(call.deps, name, spec, context)
  const { ifMatch: _, ...rest } = context
  return resource.put(call.deps, name, spec, { ...rest, createOnly: true })
}

function patch<K extends PlainKind>(resource: PlainResource<K>, call: Call<unknown, unknown>) {
  const name = nameOf(resource, call)
  return patchOwned({
    what: resource.kind,
    key: name,
    patch: call.body,
    schema: resource.schema,
    context: call.context,
    read: async () => {
      const stored = await call.deps.store.read(resource.kind, name)
      return (stored?.value.spec as SpecOf<K> | undefined) ?? builtInOf(resource, name)
    },
    put: (spec, context) => put(resource, call, spec, context),
  })
}

function putResult<K extends PlainKind>(
  resource: PlainResource<K>,
  call: AnyCall,
  outcome: Result<PutOutcome<DocumentOf[K]>>,
): Result<Answer> {
  if (!outcome.ok) return outcome
  const document = outcome.value.document as DocumentOf[PlainKind]
  const { name, spec } = document
  const path = `${resource.collection}/${name}`
  return succeed(putAnswer(call.request, outcome.value, { path, key: name, spec, view: viewPlain(document) }))
}
