import type { EmulatorRequest, EmulatorResponse } from '../emulator.ts'
import { jsonResponse } from '../emulator.ts'
import type { User } from './access.ts'
import { forbidden, mayAct } from './access.ts'
import { applyObject } from './apply.ts'
import type { Cluster, Target, Written } from './cluster.ts'
import { createObject } from './create.ts'
import type { Deleted } from './delete.ts'
import { deleteObject, readDeleteOptions } from './delete.ts'
import type { KubernetesObject } from './json.ts'
import type { Page, Pager } from './paging.ts'
import { jsonPatch, mergePatch, readJsonPatch, readMergePatch } from './patch.ts'
import { negotiate, showList, showObject } from './representation.ts'
import { bodyText, contentTypeOf, readBody, readOptions } from './request-options.ts'
import type { ResourceType } from './resource-type.ts'
import type { ResourcePath, Verb } from './routes.ts'
import { fieldSelector, labelSelector } from './selectors.ts'
import * as status from './status.ts'
import { patchObject, readLive, replaceObject } from './update.ts'

/** One request for objects of one type, by a user who may make it. */
export interface ObjectCall {
  readonly request: EmulatorRequest
  readonly path: ResourcePath
  readonly type: ResourceType
  readonly user: User
  readonly cluster: Cluster
  readonly pager: Pager
}

/** Carries out a request for objects. Throws KubernetesError for every failure. */
export function answerObjects(call: ObjectCall, verb: Verb): EmulatorResponse {
  const { request, type, cluster } = call
  if (verb === 'watch') throw status.noWatch(type)
  if (verb === 'list') return jsonResponse(200, showList(type, listPage(call), negotiate(request, 'list')))
  if (verb === 'deletecollection') return deleteAll(call)
  const as = negotiate(request, 'object')
  const show = (object: KubernetesObject, code = 200) => jsonResponse(code, showObject(type, object, as))
  const showWritten = ({ object, created }: Written) => show(object, created ? 201 : 200)
  if (verb === 'get') return show(readLive(cluster, targetOf(call)))
  if (verb === 'create') {
    const options = readOptions(request, 'CreateOptions')
    return show(createObject(cluster, type, call.path.namespace, readBody(request, type.kind), options), 201)
  }
  if (verb === 'update') {
    const options = readOptions(request, 'UpdateOptions')
    const mayCreate = () => checkMayCreate(call)
    return showWritten(replaceObject(cluster, targetOf(call), readBody(request, type.kind), { ...options, mayCreate }))
  }
  if (verb === 'delete') {
    const body = request.body.byteLength > 0 ? readBody(request, 'DeleteOptions') : undefined
    const options = readDeleteOptions(body, request.url.searchParams)
    return showDeleted(type, deleteObject(cluster, targetOf(call), options), show)
  }
  return showWritten(patch(call))
}

function targetOf({ path, type }: ObjectCall): Target {
  const subresource = path.subresource === 'status' ? 'status' : ''
  return { type, namespace: type.namespaced ? path.namespace : '', name: path.name, subresource }
}

function patch(call: ObjectCall): Written {
  const { request, cluster } = call
  const target = targetOf(call)
  const read = patchers[contentTypeOf(request)]
  if (!read && contentTypeOf(request) !== applyPatch) throw unknownPatch(call.type)
  const options = readOptions(request, 'PatchOptions')
  const body = bodyText(request)
  if (!read) return applyObject(cluster, target, body, { ...options, mayCreate: () => checkMayCreate(call) })
  return { object: patchObject(cluster, target, (live) => read(body)(live), options), created: false }
}

const applyPatch = 'application/apply-patch+yaml'

const patchers: Readonly<Record<string, (body: string) => (live: KubernetesObject) => ReturnType<typeof jsonPatch>>> = {
  'application/json-patch+json': (body) => {
    const operations = readJsonPatch(body)
    return (live) => jsonPatch(live, operations)
  },
  'application/merge-patch+json': (body) => {
    const merge = readMergePatch(body)
    return (live) => mergePatch(live, merge)
  },
}

/** The real server says this in two ways; its strategic merge patch for built-in types is not emulated. */
function unknownPatch(type: ResourceType) {
  if (!type.custom) return status.unsupportedMediaType('415: Unsupported Media Type', true)
  const accepted = [...Object.keys(patchers), applyPatch].join(', ')
  const message = `the body of the request was in an unknown format - accepted media types include: ${accepted}`
  return status.unsupportedMediaType(message, false)
}

function checkMayCreate({ user, path }: ObjectCall): void {
  const resource = path.subresource ? `${path.plural}/${path.subresource}` : path.plural
  const action = { verb: 'create', group: path.group, resource, namespace: path.namespace, name: path.name }
  if (!mayAct(user, action)) throw forbidden(user, action)
}

function listPage({ request, path, type, cluster, pager }: ObjectCall): Page {
  const query = request.url.searchParams
  checkRevision(query.get('resourceVersion') ?? '', cluster.store.revision())
  const [labels, fields] = [query.get('labelSelector') ?? '', query.get('fieldSelector') ?? '']
  const meetsLabels = labelSelector(labels)
  const meetsFields = fieldSelector(type, fields)
  const read = () =>
    cluster.store.list(type, path.namespace || undefined).filter((object) => meetsLabels(object) && meetsFields(object))
  const page = {
    list: [path.group, path.plural, path.namespace, labels, fields].join(' '),
    limit: readLimit(query.get('limit')),
    token: query.get('continue') ?? '',
    narrowed: labels !== '' || fields !== '',
  }
  return pager.page(page, cluster.store.revision(), read)
}

function readLimit(text: string | null): number {
  if (!text) return 0
  if (/^-?\d+$/.test(text)) return Number(text)
  throw status.badRequest(`strconv.ParseInt: parsing ${status.quoted(text)}: invalid syntax`)
}

function checkRevision(wanted: string, current: number): void {
  if (!wanted) return
  if (!/^\d+$/.test(wanted)) {
    const why = `Invalid value: ${status.quoted(wanted)}: strconv.ParseUint: parsing ${status.quoted(wanted)}: invalid syntax`
    throw status.badRequest(`invalid resource version: resourceVersion: ${why}`)
  }
  if (Number(wanted) <= current) return
  const message = `Timeout: Too large resource version: ${wanted}, current: ${current}`
  throw status.failure(504, 'Timeout', message, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  })
}

function deleteAll(call: ObjectCall): EmulatorResponse {
  const { request, type, cluster } = call
  const page = listPage(call)
  const options = readDeleteOptions(undefined, request.url.searchParams)
  for (const { metadata } of page.items) {
    deleteObject(cluster, { type, namespace: metadata.namespace ?? '', name: metadata.name ?? '' }, options)
  }
  return jsonResponse(200, showList(type, page, 'whole'))
}

function showDeleted(
  type: ResourceType,
  { outcome, object }: Deleted,
  show: (object: KubernetesObject) => EmulatorResponse,
): EmulatorResponse {
  if (outcome === 'marked' || type.deleteAnswersObject) return show(object)
  const group = type.group ? { group: type.group } : {}
  const details = { name: object.metadata.name, ...group, kind: type.plural, uid: object.metadata.uid }
  return jsonResponse(200, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details })
}
