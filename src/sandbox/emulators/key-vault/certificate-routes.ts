import * as z from 'zod'
import { type EmulatorResponse, jsonResponse } from '../emulator.ts'
import { bodyOf, nameOf, type VaultCall, wireAttributes, wireTags } from './call.ts'
import type { Certificates } from './certificates.ts'
import { badParameter, certificateNotFound, VaultError } from './errors.ts'
import { importedPolicy, readImport } from './import.ts'
import type { Issuance } from './issue.ts'
import type { MakeKey } from './keys.ts'
import { page } from './paging.ts'
import { pendingRoutes } from './pending-routes.ts'
import { type WirePolicy, wirePolicy } from './policy.ts'
import type { CertificateRecord, Records, VersionRecord } from './records.ts'
import { certificateBundle, certificateItem, deletion, operationBody, versionItem } from './wire.ts'

const createBody = z.object({ policy: wirePolicy.nullish(), attributes: wireAttributes.nullish(), tags: wireTags })
const importBody = createBody.extend({ value: z.string(), pwd: z.string().nullish() })

export interface CertificateParts {
  readonly certificates: Certificates
  readonly issuance: Issuance
  readonly records: Records
  readonly makeKey: MakeKey
  /** Whether the vault of a host has hardware modules. */
  readonly isPremium: (host: string) => boolean
}

/** What is below `/certificates`. Protocol: learn.microsoft.com/rest/api/keyvault/certificates. */
export async function certificateRoutes(parts: CertificateParts, call: VaultCall): Promise<EmulatorResponse> {
  const { method } = call.request
  const [name, verb] = call.path
  if (name === undefined) return method === 'GET' ? list(parts, call) : notAllowed()
  nameOf(call, 'certificate')
  if (verb === 'create' && method === 'POST') return create(parts, call)
  if (verb === 'import' && method === 'POST') return importOne(parts, call)
  if (verb === 'versions' && method === 'GET') return versions(parts, call)
  if (verb === 'policy') return policy(parts, call)
  if (verb === 'pending') return pendingRoutes(parts, call)
  if (method === 'GET') return get(parts, call)
  if (method === 'PATCH') return update(parts, call)
  if (method === 'DELETE' && verb === undefined) return remove(parts, call)
  return notAllowed()
}

/** What is below `/deletedcertificates`. */
export function deletedCertificateRoutes(
  { certificates, records }: CertificateParts,
  call: VaultCall,
): EmulatorResponse {
  const { host, path, request } = call
  const [name, verb] = path
  if (name === undefined) {
    const lying = [...records.listCertificates(host)].filter(({ deletedAt }) => deletedAt !== undefined)
    const show = (one: (typeof lying)[number]) => ({
      ...certificateItem(host, one),
      ...deletion(host, 'certificates', one.name, one.deletedAt ?? 0),
    })
    return page(call, lying, ({ name }) => name.toLowerCase(), show)
  }
  const record = certificates.deleted(host, name)
  if (request.method === 'GET') return jsonResponse(200, deletedBundle(host, record))
  if (request.method === 'DELETE') {
    records.dropCertificate(host, name)
    return { status: 204, headers: {}, body: '' }
  }
  if (request.method !== 'POST' || verb !== 'recover') return notAllowed()
  const { deletedAt: _, ...recovered } = record
  certificates.put(host, recovered)
  return jsonResponse(200, certificateBundle(host, recovered, recovered.versions.at(-1)))
}

async function create({ certificates }: CertificateParts, call: VaultCall): Promise<EmulatorResponse> {
  const body = bodyOf(call, createBody)
  const name = nameOf(call, 'certificate')
  const wanted = { policy: body.policy ?? {}, tags: body.tags ?? {}, enabled: body.attributes?.enabled ?? true }
  const record = await certificates.create(call.host, name, wanted)
  const { requestId } = record.pending
  const version = call.query.get('api-version')
  const location = `https://${call.host}/certificates/${record.name}/pending?api-version=${version}&request_id=${requestId}`
  return jsonResponse(202, operationBody(call.host, record.name, record.pending), { location })
}

async function importOne({ certificates, issuance }: CertificateParts, call: VaultCall): Promise<EmulatorResponse> {
  const body = bodyOf(call, importBody)
  const name = nameOf(call, 'certificate')
  const known = await certificates.freeFor(call.host, name)
  const content = readImport(body.value)
  const given: WirePolicy = importedPolicy(content, body.policy ?? {})
  const policy = certificates.policy(given, known)
  const made = {
    id: issuance.hex(32),
    key: content.key,
    policy,
    tags: body.tags ?? {},
    enabled: body.attributes?.enabled ?? true,
  }
  const version = issuance.version(made, content.der, content.chain)
  const { pending: _, ...kept } = known ?? { name, versions: [] }
  const record = certificates.addVersion(call.host, { ...kept, policy }, version)
  return jsonResponse(200, certificateBundle(call.host, record, version))
}

async function get({ certificates }: CertificateParts, call: VaultCall): Promise<EmulatorResponse> {
  const { host, path } = call
  const record = await certificates.get(host, path[0] ?? '')
  const version = versionIn(record, path[1])
  return jsonResponse(200, certificateBundle(host, record, version))
}

/** The version of that name, the newest for none. None there while the first is pending is no error. */
function versionIn(record: CertificateRecord, id: string | undefined): VersionRecord | undefined {
  const found = id ? record.versions.find((one) => one.id === id) : record.versions.at(-1)
  const pendingOnly = record.versions.length === 0 && record.pending !== undefined && (!id || id === record.pending.id)
  if (!found && !pendingOnly) throw certificateNotFound(`${record.name}${id ? `/${id}` : ''}`)
  return found
}

async function update({ certificates }: CertificateParts, call: VaultCall): Promise<EmulatorResponse> {
  const { host, path, now } = call
  const record = await certificates.get(host, path[0] ?? '')
  const version = versionIn(record, path[1])
  if (!version) throw badParameter('The certificate is not made yet')
  const { attributes, tags, policy: given } = bodyOf(call, createBody)
  const changed = {
    ...version,
    enabled: attributes?.enabled ?? version.enabled,
    tags: tags ?? version.tags,
    updated: now,
  }
  const grown = {
    ...record,
    ...(given ? { policy: certificates.policy(given, record) } : {}),
    versions: record.versions.map((one) => (one === version ? changed : one)),
  }
  certificates.put(host, grown)
  return jsonResponse(200, certificateBundle(host, grown, changed))
}

async function versions({ certificates }: CertificateParts, call: VaultCall): Promise<EmulatorResponse> {
  const { host, path } = call
  const record = await certificates.find(host, path[0] ?? '')
  const found = [...(record?.versions ?? [])].sort((a, b) => (a.id < b.id ? -1 : 1))
  return page(
    call,
    found,
    ({ id }) => id,
    (one) => versionItem(host, record?.name ?? '', one),
  )
}

async function policy({ certificates }: CertificateParts, call: VaultCall): Promise<EmulatorResponse> {
  const { host, path, request } = call
  const record = await certificates.get(host, path[0] ?? '')
  const id = `https://${host}/certificates/${record.name}/policy`
  if (request.method === 'GET') return jsonResponse(200, { id, ...record.policy })
  if (request.method !== 'PATCH') return notAllowed()
  const changed = certificates.policy(bodyOf(call, wirePolicy), record)
  certificates.put(host, { ...record, policy: changed })
  return jsonResponse(200, { id, ...changed })
}

async function remove({ certificates }: CertificateParts, call: VaultCall): Promise<EmulatorResponse> {
  const { host, path, now } = call
  const { pending: _, ...record } = await certificates.get(host, path[0] ?? '')
  const deleted = { ...record, deletedAt: now }
  certificates.put(host, deleted)
  return jsonResponse(200, deletedBundle(host, deleted))
}

async function list({ certificates, records }: CertificateParts, call: VaultCall): Promise<EmulatorResponse> {
  const { host, query } = call
  await certificates.settleAll(host)
  const withPending = query.get('includePending') === 'true'
  const shown = function* () {
    for (const one of records.listCertificates(host))
      if (one.deletedAt === undefined && (withPending || one.newest)) yield one
  }
  return page(
    call,
    shown(),
    ({ name }) => name.toLowerCase(),
    (one) => certificateItem(host, one),
  )
}

function deletedBundle(host: string, record: CertificateRecord & { readonly deletedAt: number }): object {
  const bundle = certificateBundle(host, record, record.versions.at(-1))
  return { ...bundle, ...deletion(host, 'certificates', record.name, record.deletedAt) }
}

export function notAllowed(): never {
  throw new VaultError(405, 'MethodNotAllowed', 'The method is not supported for this resource')
}
