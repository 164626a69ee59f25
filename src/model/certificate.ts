import * as z from 'zod'
import { clusterSelection } from './cluster-selection.ts'
import { dnsLabel, durationBetween, hostName } from './names.ts'
import { timeWindow } from './window.ts'

/**
 * What a certificate is for; `mesh-ca` and `linkerd-identity` have forms of their own. `workload-tls` is a Secret that workloads
 * read themselves: no handshake is made.
 */
export const CERTIFICATE_PURPOSES = ['gateway-tls', 'workload-tls'] as const

const issuerSpec = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('self') }).describe('Key Vault signs it with its own key'),
  z
    .strictObject({ kind: z.literal('integrated'), name: z.string().regex(/^[0-9a-zA-Z-]{1,127}$/) })
    .describe('An issuer that is set up in the vault, by its name there (DigiCert, GlobalSign)'),
  z.strictObject({ kind: z.literal('imported') }).describe('Versions are imported into the vault by other hands'),
  z
    .strictObject({ kind: z.literal('external') })
    .describe('The vault makes key and CSR; another CA signs; POST …/complete hands the chain in'),
])
export type IssuerSpec = z.infer<typeof issuerSpec>

const keySpec = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('RSA'), size: z.union([z.literal(2048), z.literal(3072), z.literal(4096)]) }),
  z.strictObject({ type: z.literal('EC'), curve: z.enum(['P-256', 'P-384']) }),
])

/** Name of a Kubernetes Secret: a DNS subdomain. */
const secretName = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/, 'must be a DNS subdomain: lower-case letters, digits, "-" and "."')

/** Body of PUT /certificates/{name}. */
export const certificateSpec = z
  .strictObject({
    purpose: z
      .enum(CERTIFICATE_PURPOSES)
      .describe(
        'gateway-tls: a gateway shows it, which is proven by a handshake. workload-tls: workloads read the Secret; what it holds is read back',
      ),
    team: dnsLabel.optional().describe('Whose hosts it serves: the team hears of it, and its hosts are checked'),
    dnsNames: z.array(hostName).min(1).max(100).describe('Subject alternative names; the first is the subject too'),
    clusters: clusterSelection.describe('Names, or labels that choose; may be []'),
    secret: z
      .strictObject({ namespace: dnsLabel, name: secretName })
      .describe('The TLS Secret that the gateway, or the workloads, read'),
    issuer: issuerSpec,
    validityMonths: z.int().min(1).max(36).optional().describe('3 when left out; an issuer may give another'),
    key: keySpec.default({ type: 'RSA', size: 2048 }),
    renewBefore: durationBetween('1h', '1000d')
      .optional()
      .describe('How long before its end a new one is made. A third of the lifetime when left out'),
    delivery: z
      .enum(['secret', 'csi'])
      .default('secret')
      .describe(
        'secret: Meshwright writes the TLS Secret. csi: the Secrets Store CSI driver does; the key never leaves Azure for Meshwright',
      ),
    csi: z
      .strictObject({
        clientId: z.guid('must be the client id of the identity that reads the vault (a UUID)'),
        tenantId: z.guid('must be a tenant id (a UUID)'),
      })
      .optional()
      .describe('For delivery csi: the identity of the add-on azureKeyvaultSecretsProvider'),
    vault: z
      .url({ protocol: /^https$/ })
      .optional()
      .describe('Key Vault; the one of the settings when left out'),
    vaultName: z
      .string()
      .regex(/^[0-9a-zA-Z-]{1,127}$/)
      .toLowerCase()
      .optional()
      .describe(
        'Name of the certificate in the vault, in lower case: a vault does not tell cases apart. The name of this resource when left out',
      ),
    windows: z.array(timeWindow).max(20).optional().describe('Maintenance windows; any time when left out'),
    spread: z
      .strictObject({
        atOnce: z.int().min(1).max(100).describe('Clusters that get it together'),
        pause: durationBetween('0s', '7d').describe('Between one group of clusters and the next'),
      })
      .optional()
      .describe('One cluster after the other, with no pause, when left out'),
    probe: z
      .strictObject({ host: z.string().min(1).max(253), port: z.int().min(1).max(65_535).default(443) })
      .optional()
      .describe('Where the gateway can be reached for a TLS handshake; found from its Service when left out'),
  })
  .refine((spec) => spec.purpose !== 'workload-tls' || spec.probe === undefined, {
    message: 'is for gateways: no handshake is made with workloads',
    path: ['probe'],
  })
  .refine((spec) => (spec.delivery === 'csi') === (spec.csi !== undefined), {
    message: 'goes with delivery csi, and only with it',
    path: ['csi'],
  })
  .meta({ id: 'Certificate' })

export type CertificateSpec = z.infer<typeof certificateSpec>

/** One version of a certificate in the vault, as far as it is public. */
export interface CertificateVersion {
  /** Key Vault's version. */
  readonly version: string
  /** Lower-case hex without leading zeros. */
  readonly serial: string
  /** SHA-256 of the certificate's DER, lower-case hex. */
  readonly fingerprint: string
  /** RFC 3339. */
  readonly notBefore: string
  readonly notAfter: string
  readonly dnsNames: readonly string[]
  /** The issuer's distinguished name. */
  readonly issuer: string
  /** Rotation that made it; absent: another hand did. */
  readonly rotation?: string
}

/** What of a certificate is wanted on one cluster. The intent that reconcile carries out. */
export interface CertificateTarget {
  readonly version: string
  readonly serial: string
  /** Raised by every change of what is wanted there, never reset: the fence on the cluster's object. */
  readonly revision: number
}

/** What reconcile found and did on one cluster. Only reconcile writes it. */
export interface DeliveryState {
  readonly certificate: string
  readonly cluster: string
  /**
   * `delivered`: the cluster holds the wanted serial, and a handshake showed it where the gateway can be reached.
   * `waiting`: written, not proven yet. `held`: a freeze, a hold, observe mode or a foreign object stands in the way.
   * `failed`: the cluster or the vault does not answer, or refuses. `leaving`: what is ours there is being removed.
   */
  readonly state: 'delivered' | 'waiting' | 'held' | 'failed' | 'leaving'
  /** CamelCase for machines. */
  readonly reason: string
  /** For people; deterministic, without times. */
  readonly message: string
  /** The target that was last written there whole. */
  readonly written?: CertificateTarget
  /** RFC 3339: when `written` was written, and again when the Secret came to hold it: it is given time from then on. */
  readonly writtenAt?: string
  /** The serial that the cluster's Secret was read back with. */
  readonly heldSerial?: string
  /** The serial that a TLS handshake with the gateway showed; absent while none could be made. */
  readonly shownSerial?: string
  /** RFC 3339: since when the wanted target is proven there. */
  readonly deliveredAt?: string
  /** What of ours is there. State `leaving` with none: nothing is left. */
  readonly objects: readonly DeliveredObject[]
  /** RFC 3339 of restores within the last ten minutes. */
  readonly restores?: readonly string[]
  /** Failed attempts in a row; sets the backoff. */
  readonly attempts: number
}

/** One object that we applied for a certificate. */
export interface DeliveredObject {
  readonly apiVersion: string
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly uid: string
  /** As we left it: another one tells that another hand touched it, without reading it whole. */
  readonly resourceVersion?: string
}

/** A certificate's serial number as Meshwright writes it, from hex in any case, with or without leading zeros and colons. */
export function serialText(hex: string): string {
  return hex
    .replaceAll(':', '')
    .toLowerCase()
    .replace(/^0+(?=.)/, '')
}
