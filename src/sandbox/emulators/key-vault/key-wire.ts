import { createPublicKey } from 'node:crypto'
import * as z from 'zod'
import { wireAttributes, wireTags } from './call.ts'
import { badParameter } from './errors.ts'
import { type KeyKind, publicDer } from './keys.ts'
import type { KeyVersion, VersionRecord } from './records.ts'
import { attributes } from './wire.ts'

/** What a key may be used for. */
const OPERATIONS = ['encrypt', 'decrypt', 'sign', 'verify', 'wrapKey', 'unwrapKey', 'import', 'export'] as const
const EC_OPERATIONS: readonly string[] = ['sign', 'verify', 'import', 'export']

/** Body of Create Key. Protocol: learn.microsoft.com/rest/api/keyvault/keys/create-key. */
export const createKeyBody = z.object({
  kty: z.enum(['EC', 'EC-HSM', 'RSA', 'RSA-HSM']),
  crv: z.enum(['P-256', 'P-384', 'P-521']).nullish(),
  key_size: z.union([z.literal(2048), z.literal(3072), z.literal(4096)]).nullish(),
  key_ops: z.array(z.enum(OPERATIONS)).nullish(),
  attributes: wireAttributes.extend({ exportable: z.boolean().nullish() }).nullish(),
  tags: wireTags,
})
export const updateKeyBody = createKeyBody.pick({ key_ops: true, attributes: true, tags: true })
export type CreateKeyBody = z.infer<typeof createKeyBody>

/** What kind of key a body asks for, and what it may do. Throws a 400. */
export function keyWanted({ kty, crv, key_size, key_ops, attributes }: CreateKeyBody): {
  readonly kind: KeyKind
  readonly ops: readonly string[]
} {
  if (attributes?.exportable) throw badParameter('A key that is exportable needs a release policy')
  const isEc = kty.startsWith('EC')
  const ops = key_ops ?? (isEc ? ['sign', 'verify'] : OPERATIONS.slice(0, 6))
  const wrong = isEc ? ops.find((one) => !EC_OPERATIONS.includes(one)) : undefined
  if (wrong !== undefined) throw badParameter(`Operation ${wrong} is not supported for keys of the type ${kty}`)
  return { kind: isEc ? { kty: 'EC', curve: crv ?? 'P-256' } : { kty: 'RSA', size: key_size ?? 2048 }, ops }
}

/** A key as Create Key and Get Key answer it: its public half. */
export function keyBundle(host: string, name: string, version: KeyVersion): object {
  const { id, key, kty, ops, tags } = version
  const kid = `https://${host}/keys/${name}/${id}`
  const jwk = createPublicKey({ key: publicDer(key), format: 'der', type: 'spki' }).export({ format: 'jwk' })
  return { key: { ...jwk, kid, kty, key_ops: ops }, attributes: attributes(version), tags }
}

/** A key in a list; `id` for lists of versions. */
export function keyItem(host: string, name: string, version: KeyVersion, id?: string): object {
  const kid = `https://${host}/keys/${name}${id === undefined ? '' : `/${id}`}`
  return { kid, attributes: attributes(version), tags: version.tags }
}

/** The key behind a certificate's version: it may do what the certificate's policy lets keys do. */
export function certificateKey({ id, key, enabled, nbf, exp, created, updated, tags }: VersionRecord): KeyVersion {
  const ops = key.kind.kty === 'EC' ? ['sign', 'verify'] : OPERATIONS.slice(0, 6)
  return { id, key, kty: key.kind.kty, ops, enabled, nbf, exp, created, updated, tags }
}
