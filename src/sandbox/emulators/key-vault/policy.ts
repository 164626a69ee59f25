import * as z from 'zod'
import { badParameter } from './errors.ts'
import type { KeyKind } from './keys.ts'
import type { SubjectContent } from './x509.ts'

const strings = z.array(z.string()).nullish()

/** A certificate's policy on the wire. Protocol: learn.microsoft.com/rest/api/keyvault/certificates, CertificatePolicy. */
export const wirePolicy = z.object({
  key_props: z
    .object({
      exportable: z.boolean().nullish(),
      kty: z.enum(['RSA', 'EC', 'RSA-HSM', 'EC-HSM']).nullish(),
      key_size: z.int().nullish(),
      reuse_key: z.boolean().nullish(),
      crv: z.string().nullish(),
    })
    .nullish(),
  secret_props: z
    .object({ contentType: z.enum(['application/x-pem-file', 'application/x-pkcs12']).nullish() })
    .nullish(),
  x509_props: z
    .object({
      subject: z.string().nullish(),
      sans: z
        .object({ emails: strings, dns_names: strings, upns: strings, uris: strings, ipAddresses: strings })
        .nullish(),
      ekus: strings,
      key_usage: strings,
      validity_months: z.int().min(1).max(1200).nullish(),
    })
    .nullish(),
  lifetime_actions: z
    .array(
      z.object({
        trigger: z.object({
          lifetime_percentage: z.int().min(1).max(99).nullish(),
          days_before_expiry: z.int().min(1).nullish(),
        }),
        action: z.object({ action_type: z.enum(['AutoRenew', 'EmailContacts']) }),
      }),
    )
    .nullish(),
  issuer: z.object({ name: z.string().nullish(), cty: z.string().nullish() }).nullish(),
})
export type WirePolicy = z.infer<typeof wirePolicy>

/** A policy with everything filled in, as it is kept and given out. */
export interface Policy {
  readonly key_props: {
    readonly exportable: boolean
    readonly kty: 'RSA' | 'EC'
    readonly reuse_key: boolean
    /** Bits. */
    readonly key_size: number
    readonly crv?: string
  }
  readonly secret_props: { readonly contentType: string }
  readonly x509_props: {
    readonly subject: string
    readonly sans: {
      readonly emails: readonly string[]
      readonly dns_names: readonly string[]
      readonly upns: readonly string[]
      readonly uris: readonly string[]
      readonly ipAddresses: readonly string[]
    }
    readonly ekus: readonly string[]
    readonly key_usage: readonly string[]
    readonly validity_months: number
  }
  readonly lifetime_actions: NonNullable<WirePolicy['lifetime_actions']>
  readonly issuer: { readonly name: string; readonly cty?: string }
  readonly attributes: { readonly enabled: true; readonly created: number; readonly updated: number }
}

const RSA_SIZES = [2048, 3072, 4096]
const CURVE_SIZES: Readonly<Record<string, number>> = { 'P-256': 256, 'P-384': 384, 'P-521': 521 }
const SERVER_AND_CLIENT = ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']

/** Fills a policy in: what is left out comes from `known`, the certificate's last one, or is Key Vault's default. Throws a 400. */
export function completePolicy(given: WirePolicy, nowS: number, known?: Policy): Policy {
  const issuer = given.issuer?.name ?? known?.issuer.name ?? 'Unknown'
  const cty = given.issuer?.cty ?? known?.issuer.cty
  return {
    key_props: keyProps(given, known),
    secret_props: {
      contentType: given.secret_props?.contentType ?? known?.secret_props.contentType ?? 'application/x-pkcs12',
    },
    x509_props: x509Props(given, known),
    lifetime_actions: given.lifetime_actions ?? known?.lifetime_actions ?? [defaultAction(issuer)],
    issuer: { name: issuer, ...(cty == null ? {} : { cty }) },
    attributes: { enabled: true, created: known?.attributes.created ?? nowS, updated: nowS },
  }
}

export function keyKind({ key_props }: Policy): KeyKind {
  const { kty, key_size, crv } = key_props
  if (kty === 'RSA') return { kty, size: key_size }
  if (crv === 'P-256' || crv === 'P-384' || crv === 'P-521') return { kty, curve: crv }
  throw badParameter(`The curve ${crv} is not supported for certificates`)
}

export function subjectContent({ x509_props }: Policy): SubjectContent {
  const { subject, sans, ekus, key_usage } = x509_props
  return { subject, names: { ...sans, dnsNames: sans.dns_names }, ekus, keyUsage: key_usage }
}

function keyProps(given: WirePolicy, known: Policy | undefined): Policy['key_props'] {
  if (given.key_props == null && known) return known.key_props
  const { exportable, kty, key_size, reuse_key, crv } = given.key_props ?? {}
  if (kty?.endsWith('-HSM')) throw badParameter('This vault is of the standard tier: keys in an HSM are not supported')
  const common = { exportable: exportable ?? true, reuse_key: reuse_key ?? false }
  if (kty === 'EC') {
    const curve = crv ?? 'P-256'
    const size = CURVE_SIZES[curve]
    if (size === undefined) throw badParameter('Property policy.key_props.crv has invalid value')
    return { ...common, kty: 'EC', crv: curve, key_size: size }
  }
  const size = key_size ?? 2048
  if (!RSA_SIZES.includes(size)) throw badParameter('Property policy.key_props.key_size has invalid value')
  return { ...common, kty: 'RSA', key_size: size }
}

function x509Props(given: WirePolicy, known: Policy | undefined): Policy['x509_props'] {
  const props = given.x509_props
  if (props == null) {
    if (known) return known.x509_props
    throw badParameter('Property policy.x509_props has invalid value')
  }
  const { sans, subject } = props
  const names = {
    emails: sans?.emails ?? [],
    dns_names: sans?.dns_names ?? [],
    upns: sans?.upns ?? [],
    uris: sans?.uris ?? [],
    ipAddresses: sans?.ipAddresses ?? [],
  }
  const named = Object.values(names).some((list) => list.length > 0)
  if (!subject && !named) throw badParameter('Property policy.x509_props.subject has invalid value')
  if (subject && !/^\s*[A-Za-z.0-9]+=[^,]+/.test(subject))
    throw badParameter('Property policy.x509_props.subject has invalid value')
  if (/CN=[^,]{65}/i.test(subject ?? '')) throw badParameter('The common name is longer than 64 characters')
  return {
    subject: subject ?? '',
    sans: names,
    ekus: props.ekus ?? SERVER_AND_CLIENT,
    key_usage: props.key_usage ?? ['digitalSignature', 'keyEncipherment'],
    validity_months: props.validity_months ?? 12,
  }
}

function defaultAction(issuer: string): Policy['lifetime_actions'][number] {
  const action_type = issuer === 'Unknown' ? 'EmailContacts' : 'AutoRenew'
  return { trigger: { lifetime_percentage: 80 }, action: { action_type } }
}
