import * as z from 'zod'
import { type EmulatorResponse, jsonResponse } from '../emulator.ts'
import { bodyOf, nameOf, type VaultCall, wireAttributes, wireTags } from './call.ts'
import { type CertificateParts, notAllowed } from './certificate-routes.ts'
import { badParameter, isDeleted, secretNotFound, VaultError } from './errors.ts'
import { page } from './paging.ts'
import type { SecretRecord, SecretVersion, VersionRecord } from './records.ts'
import { certificateSecret, deletion, secretBundle, secretItem } from './wire.ts'

/** The longest value that Key Vault keeps, in bytes. */
const MOST_BYTES = 25_600

const setBody = z.object({
  value: z.string(),
  contentType: z.string().max(255).nullish(),
  attributes: wireAttributes.nullish(),
  tags: wireTags,
})
const updateBody = setBody.partial()

/** What is below `/secrets`. Protocol: learn.microsoft.com/rest/api/keyvault/secrets. */
export async function secretRoutes(parts: CertificateParts, call: VaultCall): Promise<EmulatorResponse> {
  const { method } = call.request
  const [name, version] = call.path
  if (name === undefined) return method === 'GET' ? list(parts, call) : notAllowed()
  nameOf(call, 'secret')
  if (version === 'versions' && method === 'GET') return versions(parts, call)
  if (method === 'PUT' && version === undefined) return set(parts, call)
  if (method === 'PATCH') return update(parts, call)
  if (method === 'DELETE' && version === undefined) return remove(parts, call)
  return method === 'GET' ? get(parts, call) : notAllowed()
}

/** What is below `/deletedsecrets`. */
export function deletedSecretRoutes({ records }: CertificateParts, call: VaultCall): EmulatorResponse {
  const { host, path, request } = call
  const [name, verb] = path
  if (name === undefined) {
    const lying = [...records.listSecrets(host)].filter(({ deletedAt }) => deletedAt !== undefined)
    return page(call, lying, keyOf, (one) => deletedItem(host, one))
  }
  const record = records.secret(host, name)
  if (record?.deletedAt === undefined) throw secretNotFound(name)
  if (request.method === 'GET') return jsonResponse(200, deletedItem(host, record))
  if (request.method === 'DELETE') {
    records.dropSecret(host, name)
    return { status: 204, headers: {}, body: '' }
  }
  if (request.method !== 'POST' || verb !== 'recover') return notAllowed()
  const { deletedAt: _, ...recovered } = record
  records.putSecret(host, recovered)
  return jsonResponse(200, secretItem(host, record.name, newest(recovered), newest(recovered).id))
}

async function get(parts: CertificateParts, call: VaultCall): Promise<EmulatorResponse> {
  const { host, path } = call
  const [name = '', id] = path
  const managed = await managedVersions(parts, call)
  if (managed) {
    const version = id ? managed.find((one) => one.id === id) : managed.at(-1)
    if (!version) throw secretNotFound(id ? `${name}/${id}` : name)
    allowed(version)
    if (version.contentType !== 'application/x-pem-file')
      throw new VaultError(501, 'NotImplemented', 'This emulator of Key Vault gives out PEM only, and no PKCS #12')
    return jsonResponse(200, certificateSecret(host, name, version))
  }
  const record = parts.records.secret(host, name)
  if (!record || record.deletedAt !== undefined) throw secretNotFound(name)
  const version = id ? record.versions.find((one) => one.id === id) : record.versions.at(-1)
  if (!version) throw secretNotFound(`${name}/${id}`)
  allowed(version)
  return jsonResponse(200, secretBundle(host, record.name, version))
}

/** The versions of the certificate that the secret belongs to; undefined when it belongs to none. */
async function managedVersions(
  { certificates }: CertificateParts,
  { host, path }: VaultCall,
): Promise<readonly VersionRecord[] | undefined> {
  return (await certificates.find(host, path[0] ?? ''))?.versions
}

/** A disabled secret cannot be read. One whose time is over can: nbf and exp only inform. */
function allowed({ enabled }: VersionRecord | SecretVersion): void {
  if (!enabled)
    throw new VaultError(403, 'Forbidden', 'Operation get is not allowed on a disabled secret.', {
      inner: 'SecretDisabled',
    })
}

async function set(parts: CertificateParts, call: VaultCall): Promise<EmulatorResponse> {
  const { host, now } = call
  const body = bodyOf(call, setBody)
  const name = nameOf(call, 'secret')
  if (Buffer.byteLength(body.value) > MOST_BYTES) throw badParameter('The value of the secret is longer than 25 KB')
  const certificate = parts.records.certificate(host, name)
  if (certificate?.deletedAt !== undefined) throw isDeleted('Certificate', name)
  if (certificate) throw new VaultError(409, 'Conflict', `The secret ${name} is managed by a certificate of that name.`)
  const known = parts.records.secret(host, name)
  if (known?.deletedAt !== undefined) throw isDeleted('Secret', name)
  const { attributes, contentType, tags } = body
  const version: SecretVersion = {
    id: parts.issuance.hex(32),
    value: body.value,
    ...(contentType == null ? {} : { contentType }),
    enabled: attributes?.enabled ?? true,
    ...(attributes?.nbf == null ? {} : { nbf: attributes.nbf }),
    ...(attributes?.exp == null ? {} : { exp: attributes.exp }),
    created: now,
    updated: now,
    tags: tags ?? {},
  }
  parts.records.putSecret(host, { name, versions: [...(known?.versions ?? []), version] })
  return jsonResponse(200, secretBundle(host, name, version))
}

function update({ records }: CertificateParts, call: VaultCall): EmulatorResponse {
  const { host, path, now } = call
  const [name = '', id] = path
  const record = records.secret(host, name)
  const version = id ? record?.versions.find((one) => one.id === id) : record?.versions.at(-1)
  if (!record || record.deletedAt !== undefined || !version) throw secretNotFound(name)
  const { attributes, contentType, tags } = bodyOf(call, updateBody)
  const changed = {
    ...version,
    ...(contentType == null ? {} : { contentType }),
    enabled: attributes?.enabled ?? version.enabled,
    tags: tags ?? version.tags,
    updated: now,
  }
  records.putSecret(host, {
    name: record.name,
    versions: record.versions.map((one) => (one === version ? changed : one)),
  })
  return jsonResponse(200, secretItem(host, record.name, changed, changed.id))
}

function remove({ records }: CertificateParts, call: VaultCall): EmulatorResponse {
  const { host, path, now } = call
  const name = path[0] ?? ''
  const record = records.secret(host, name)
  if (records.certificate(host, name)?.versions.length)
    throw new VaultError(403, 'Forbidden', `The secret ${name} is managed by a certificate of that name.`)
  if (!record || record.deletedAt !== undefined) throw secretNotFound(name)
  const deleted = { ...record, deletedAt: now }
  records.putSecret(host, deleted)
  return jsonResponse(200, deletedItem(host, deleted))
}

async function versions(parts: CertificateParts, call: VaultCall): Promise<EmulatorResponse> {
  const name = call.path[0] ?? ''
  const managed = await managedVersions(parts, call)
  const own: readonly (VersionRecord | SecretVersion)[] =
    managed ?? parts.records.secret(call.host, name)?.versions ?? []
  const show = (one: VersionRecord | SecretVersion) => ({
    ...secretItem(call.host, name, one, one.id),
    ...(managed ? { managed: true } : {}),
  })
  return page(
    call,
    [...own].sort((a, b) => (a.id < b.id ? -1 : 1)),
    ({ id }) => id,
    show,
  )
}

/** Own secrets and those of certificates, by name. */
async function list({ certificates, records }: CertificateParts, call: VaultCall): Promise<EmulatorResponse> {
  const { host } = call
  await certificates.settleAll(host)
  const own = [...records.listSecrets(host)]
    .filter(({ deletedAt }) => deletedAt === undefined)
    .map((one) => ({ name: one.name, item: secretItem(host, one.name, newest(one)) }))
  const managed = [...records.listCertificates(host)].flatMap(({ name, newest: version, deletedAt }) =>
    version && deletedAt === undefined ? [{ name, item: { ...secretItem(host, name, version), managed: true } }] : [],
  )
  const all = [...own, ...managed].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
  return page(call, all, keyOf, ({ item }) => item)
}

function keyOf({ name }: { readonly name: string }): string {
  return name.toLowerCase()
}

function newest(record: SecretRecord): SecretVersion {
  const last = record.versions.at(-1)
  if (!last) throw secretNotFound(record.name)
  return last
}

function deletedItem(host: string, record: SecretRecord): object {
  const last = newest(record)
  return {
    ...secretItem(host, record.name, last, last.id),
    ...deletion(host, 'secrets', record.name, record.deletedAt ?? 0),
  }
}
