import { type EmulatorResponse, jsonResponse } from '../emulator.ts'
import { bodyOf, nameOf, type VaultCall } from './call.ts'
import { type CertificateParts, notAllowed } from './certificate-routes.ts'
import { isDeleted, keyNotFound, VaultError } from './errors.ts'
import { certificateKey, createKeyBody, keyBundle, keyItem, keyWanted, updateKeyBody } from './key-wire.ts'
import { page } from './paging.ts'
import type { KeyRecord, KeyVersion } from './records.ts'
import { sign } from './sign.ts'
import { deletion } from './wire.ts'

/** What is below `/keys`. Protocol: learn.microsoft.com/rest/api/keyvault/keys. */
export async function keyRoutes(parts: CertificateParts, call: VaultCall): Promise<EmulatorResponse> {
  const { method } = call.request
  const [key, version, verb] = call.path
  if (key === undefined) return method === 'GET' ? list(parts, call) : notAllowed()
  nameOf(call, 'key')
  if (method === 'POST' && version === 'create' && verb === undefined) return create(parts, call)
  if (method === 'GET' && version === 'versions') return versions(parts, call)
  if (method === 'DELETE' && version === undefined) return remove(parts, call)
  if (method === 'POST' && (verb ?? version) === 'sign') {
    const found = await versionOf(parts, call, verb === undefined ? undefined : version)
    return sign(call, found.name, found.version)
  }
  if (verb !== undefined) return notAllowed()
  if (method === 'PATCH') return update(parts, call)
  return method === 'GET' ? get(parts, call) : notAllowed()
}

/** What is below `/deletedkeys`. */
export function deletedKeyRoutes({ records }: CertificateParts, call: VaultCall): EmulatorResponse {
  const { host, path, request } = call
  const [name, verb] = path
  if (name === undefined) {
    const lying = [...records.listKeys(host)].filter(({ deletedAt }) => deletedAt !== undefined)
    return page(call, lying, keyOf, (one) => ({ ...keyItem(host, one.name, newest(one)), ...lies(host, one) }))
  }
  const record = records.key(host, name)
  if (record?.deletedAt === undefined) throw keyNotFound(name)
  if (request.method === 'GET') return jsonResponse(200, deletedBundle(host, record))
  if (request.method === 'DELETE') {
    records.dropKey(host, name)
    return { status: 204, headers: {}, body: '' }
  }
  if (request.method !== 'POST' || verb !== 'recover') return notAllowed()
  const { deletedAt: _, ...recovered } = record
  records.putKey(host, recovered)
  return jsonResponse(200, keyBundle(host, record.name, newest(recovered)))
}

async function create(parts: CertificateParts, call: VaultCall): Promise<EmulatorResponse> {
  const { host, now } = call
  const { records, issuance } = parts
  const body = bodyOf(call, createKeyBody)
  const name = nameOf(call, 'key')
  if (body.kty.endsWith('-HSM') && !parts.isPremium(host))
    throw new VaultError(403, 'Forbidden', 'Hardware key operation not allowed on standard vault')
  const certificate = records.certificate(host, name)
  if (certificate?.deletedAt !== undefined) throw isDeleted('Certificate', name)
  if (certificate) throw new VaultError(409, 'Conflict', `The key ${name} is managed by a certificate of that name.`)
  const known = records.key(host, name)
  if (known?.deletedAt !== undefined) throw isDeleted('Key', name)
  const { kind, ops } = keyWanted(body)
  const { attributes, tags } = body
  const version: KeyVersion = {
    id: issuance.hex(32),
    key: await parts.makeKey(kind),
    kty: body.kty,
    ops,
    enabled: attributes?.enabled ?? true,
    ...(attributes?.nbf == null ? {} : { nbf: attributes.nbf }),
    ...(attributes?.exp == null ? {} : { exp: attributes.exp }),
    created: now,
    updated: now,
    tags: tags ?? {},
  }
  const record = { name: known?.name ?? name, versions: [...(known?.versions ?? []), version] }
  records.putKey(host, record)
  return jsonResponse(200, keyBundle(host, record.name, version))
}

async function get(parts: CertificateParts, call: VaultCall): Promise<EmulatorResponse> {
  const { version, name, managed } = await versionOf(parts, call, call.path[1])
  return jsonResponse(200, { ...keyBundle(call.host, name, version), ...(managed ? { managed } : {}) })
}

/** A version of the key that the path names, its own or that of a certificate; the newest for none. Throws the 404. */
async function versionOf(
  { certificates, records }: CertificateParts,
  { host, path }: VaultCall,
  id: string | undefined,
) {
  const [name = ''] = path
  const certificate = await certificates.find(host, name)
  const record = certificate ? undefined : records.key(host, name)
  const all = certificate
    ? certificate.versions.map(certificateKey)
    : record?.deletedAt === undefined
      ? record?.versions
      : []
  const version = id ? all?.find((one) => one.id === id) : all?.at(-1)
  if (!version) throw keyNotFound(id ? `${name}/${id}` : name)
  return { version, name: certificate?.name ?? record?.name ?? name, managed: certificate !== undefined }
}

function update({ records }: CertificateParts, call: VaultCall): EmulatorResponse {
  const { host, path, now } = call
  const [name = '', id] = path
  const record = records.key(host, name)
  const version = id ? record?.versions.find((one) => one.id === id) : record?.versions.at(-1)
  if (!record || record.deletedAt !== undefined || !version) throw keyNotFound(name)
  const { attributes, tags, key_ops } = bodyOf(call, updateKeyBody)
  const changed = {
    ...version,
    ops: key_ops ?? version.ops,
    enabled: attributes?.enabled ?? version.enabled,
    ...(attributes?.nbf == null ? {} : { nbf: attributes.nbf }),
    ...(attributes?.exp == null ? {} : { exp: attributes.exp }),
    tags: tags ?? version.tags,
    updated: now,
  }
  records.putKey(host, { ...record, versions: record.versions.map((one) => (one === version ? changed : one)) })
  return jsonResponse(200, keyBundle(host, record.name, changed))
}

function remove({ records }: CertificateParts, call: VaultCall): EmulatorResponse {
  const { host, path, now } = call
  const name = path[0] ?? ''
  if (records.certificate(host, name)?.versions.length)
    throw new VaultError(403, 'Forbidden', `The key ${name} is managed by a certificate of that name.`)
  const record = records.key(host, name)
  if (!record || record.deletedAt !== undefined) throw keyNotFound(name)
  const deleted = { ...record, deletedAt: now }
  records.putKey(host, deleted)
  return jsonResponse(200, deletedBundle(host, deleted))
}

async function versions({ certificates, records }: CertificateParts, call: VaultCall): Promise<EmulatorResponse> {
  const { host, path } = call
  const [name = ''] = path
  const certificate = await certificates.find(host, name)
  const record = records.key(host, name)
  const own = record?.deletedAt === undefined ? (record?.versions ?? []) : []
  const all = certificate ? certificate.versions.map(certificateKey) : own
  const show = (one: KeyVersion) => ({
    ...keyItem(host, record?.name ?? name, one, one.id),
    ...(certificate ? { managed: true } : {}),
  })
  return page(
    call,
    [...all].sort((a, b) => (a.id < b.id ? -1 : 1)),
    ({ id }) => id,
    show,
  )
}

/** Keys that belong to no certificate, by name. */
function list({ records }: CertificateParts, call: VaultCall): EmulatorResponse {
  const { host } = call
  const shown = [...records.listKeys(host)].filter(({ deletedAt }) => deletedAt === undefined)
  return page(call, shown, keyOf, (one) => keyItem(host, one.name, newest(one)))
}

function deletedBundle(host: string, record: KeyRecord): object {
  return { ...keyBundle(host, record.name, newest(record)), ...lies(host, record) }
}

function lies(host: string, { name, deletedAt = 0 }: KeyRecord): object {
  return deletion(host, 'keys', name, deletedAt)
}

function keyOf({ name }: { readonly name: string }): string {
  return name.toLowerCase()
}

function newest(record: KeyRecord): KeyVersion {
  const last = record.versions.at(-1)
  if (!last) throw keyNotFound(record.name)
  return last
}
