import * as z from 'zod'
import { type EmulatorResponse, jsonResponse } from '../emulator.ts'
import { bodyOf, type VaultCall, wireAttributes, wireTags } from './call.ts'
import { type CertificateParts, notAllowed } from './certificate-routes.ts'
import { pendingNotFound, VaultError } from './errors.ts'
import { readMerge } from './import.ts'
import type { CertificateRecord, PendingRecord } from './records.ts'
import { certificateBundle, operationBody } from './wire.ts'

const cancelBody = z.object({ cancellation_requested: z.boolean() })
const mergeBody = z.object({
  x5c: z.array(z.string()).min(1),
  attributes: wireAttributes.nullish(),
  tags: wireTags,
})

/** What is below `/certificates/NAME/pending`. */
export async function pendingRoutes(parts: CertificateParts, call: VaultCall): Promise<EmulatorResponse> {
  const { host, path, request, query } = call
  const name = path[0] ?? ''
  const record = await parts.certificates.find(host, name)
  const requestId = query.get('request_id')
  const pending = record?.pending
  if (!record || !pending || (requestId !== null && requestId !== pending.requestId)) throw pendingNotFound(name)
  if (path[2] === 'merge' && request.method === 'POST') return merge(parts, call, record, pending)
  if (request.method === 'GET') return jsonResponse(200, operationBody(host, name, pending))
  if (request.method === 'PATCH') return cancel(parts, call, record, pending)
  if (request.method !== 'DELETE') return notAllowed()
  const { pending: _, ...rest } = record
  if (rest.versions.length === 0) parts.records.dropCertificate(host, name)
  else parts.certificates.put(host, rest)
  return jsonResponse(200, operationBody(host, name, pending))
}

function cancel(
  { certificates }: CertificateParts,
  call: VaultCall,
  record: CertificateRecord,
  pending: PendingRecord,
): EmulatorResponse {
  const { cancellation_requested } = bodyOf(call, cancelBody)
  if (pending.status !== 'inProgress')
    throw new VaultError(403, 'Forbidden', 'Pending status must be in progress to allow update.')
  const changed = { ...pending, cancelling: cancellation_requested }
  certificates.put(call.host, { ...record, pending: changed })
  return jsonResponse(200, operationBody(call.host, record.name, changed))
}

function merge(
  { certificates, issuance }: CertificateParts,
  call: VaultCall,
  record: CertificateRecord,
  pending: PendingRecord,
): EmulatorResponse {
  const { host } = call
  const { x5c, attributes, tags } = bodyOf(call, mergeBody)
  const issuer = pending.policy.issuer.name
  if (pending.status === 'completed') throw pendingNotFound(record.name)
  if (issuer !== 'Unknown' && pending.status === 'inProgress') {
    const message = `Merge is forbidden on pending object created with issuer : ${issuer} while it is in progess.`
    throw new VaultError(403, 'Forbidden', message)
  }
  const { der, chain } = readMerge(pending.key, x5c)
  const made = { ...pending, tags: tags ?? pending.tags, enabled: attributes?.enabled ?? pending.enabled }
  const version = issuance.version(made, der, chain)
  const merged = { ...record, pending: { ...pending, status: 'completed' as const } }
  const grown = certificates.addVersion(host, merged, version)
  const location = `https://${host}/certificates/${record.name}?api-version=${call.query.get('api-version')}`
  return jsonResponse(201, certificateBundle(host, grown, version), { location })
}
