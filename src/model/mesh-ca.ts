import * as z from 'zod'
import { dnsLabel, durationBetween, hostName } from './names.ts'
import { restartsSpec } from './restarts.ts'
import { timeWindow } from './window.ts'

const vaultObject = z.string().regex(/^[0-9a-zA-Z-]{1,127}$/, 'must be a name in a vault: letters, digits and "-"')

const rootSpec = z.discriminatedUnion('kind', [
  z
    .strictObject({
      kind: z.literal('vault-key'),
      key: vaultObject.optional().describe('Name of the key in the vault; NAME-root when left out'),
      hsm: z.boolean().default(true).describe('EC-HSM (a Premium vault). false: a software key'),
      validity: durationBetween('720h', '7300d').default('3650d').describe('Of the root certificates made with it'),
    })
    .describe('The root signs with a key that never leaves the vault: P-384, or P-256 for Linkerd'),
  z
    .strictObject({ kind: z.literal('external') })
    .describe('Another CA signs: a rotation shows a CSR, and POST …/complete hands the chain and the root in'),
])

/** What every CA of a mesh has, whatever the mesh. */
const caFields = {
  cluster: dnsLabel,
  root: rootSpec,
  renewBefore: durationBetween('1h', '1000d')
    .optional()
    .describe('How long before the end of the intermediate the next is made. A third of its lifetime when left out'),
  vault: z
    .url({ protocol: /^https$/ })
    .optional()
    .describe(
      'Where keys and secrets are; the vault of the plug-in CA (Istio), else that of the settings, when left out',
    ),
  secrets: z
    .strictObject({ rootCert: vaultObject, caCert: vaultObject, certChain: vaultObject, caKey: vaultObject })
    .optional()
    .describe(
      'Names of the four secrets. When left out, for Istio those of the plug-in CA, else root-cert, cert-chain, ca-cert and ca-key; for Linkerd NAME-anchors, NAME-issuer, NAME-issuer-chain and NAME-issuer-key',
    ),
  workloadTtl: durationBetween('1m', '90d')
    .default('24h')
    .describe('The longest lifetime of a workload certificate: by then each has been renewed'),
  windows: z.array(timeWindow).max(20).optional().describe('When a rotation may begin a phase; any time when left out'),
  restarts: restartsSpec.optional(),
}

const intermediateValidity = durationBetween('24h', '3650d')
  .default('365d')
  .describe('Asked of our own root; another CA decides alone')

/** Body of PUT /certificates/{name} with the purpose `mesh-ca`: the plug-in CA of Istio on one cluster. */
export const meshCaSpec = z
  .strictObject({
    purpose: z.literal('mesh-ca'),
    ...caFields,
    intermediate: z
      .strictObject({
        validity: intermediateValidity,
        key: z.enum(['P-256', 'P-384', 'RSA-2048', 'RSA-4096']).default('P-384'),
      })
      .default({ validity: '365d', key: 'P-384' }),
    handshakes: z
      .boolean()
      .default(false)
      .describe(
        'Reads the certificates of workloads by TLS handshakes with their Pods: Meshwright must reach Pod addresses (VNet integration, flat Pod network)',
      ),
    exceptNamespaces: z
      .array(dnsLabel)
      .max(50)
      .optional()
      .describe(
        'Namespaces whose trust bundle is another mesh’s: they are not looked at. That no Pod there has a proxy of this mesh is your word',
      ),
  })
  .meta({ id: 'MeshCa' })

/**
 * Body of PUT /certificates/{name} with the purpose `linkerd-identity`: trust anchor and issuer of Linkerd on one cluster.
 * They lie in the vault as those of Istio do (anchors as `rootCert`, issuer as `caCert`); reconcile brings them to the cluster.
 */
export const linkerdIdentitySpec = z
  .strictObject({
    purpose: z.literal('linkerd-identity'),
    ...caFields,
    intermediate: z
      .strictObject({
        validity: intermediateValidity,
        key: z.literal('P-256').default('P-256').describe('Linkerd takes an issuer of no other kind'),
      })
      .default({ validity: '365d', key: 'P-256' }),
    namespace: dnsLabel.default('linkerd').describe('Of the control plane'),
    trustDomain: hostName.default('cluster.local').describe('As Linkerd was installed with'),
  })
  .meta({ id: 'LinkerdIdentity' })

/** The CA of a mesh on one cluster, of either purpose. */
export const anyCaSpec = z.discriminatedUnion('purpose', [meshCaSpec, linkerdIdentitySpec])
export type MeshCaSpec = z.infer<typeof anyCaSpec>
export type LinkerdIdentitySpec = z.infer<typeof linkerdIdentitySpec>

/** Names of the four secrets in the vault. */
export type CaSecretNames = NonNullable<MeshCaSpec['secrets']>

/** One root or signer, as far as it is public. */
export interface CaCertificate {
  /** Lower-case hex without leading zeros. */
  readonly serial: string
  /** SHA-256 of the DER, lower-case hex. */
  readonly fingerprint: string
  readonly subject: string
  /** RFC 3339. */
  readonly notBefore: string
  readonly notAfter: string
}

/** What the four secrets hold, without the key: PEM as it lies there, byte for byte. */
export interface CaSet {
  /** One root, or more while trust is widened. */
  readonly rootCert: string
  readonly caCert: string
  readonly certChain: string
  /** Versions of the secrets. */
  readonly versions: CaSecretNames
  readonly roots: readonly CaCertificate[]
  /** Fingerprint of the root that the chain ends at; absent: none of the roots, or it was not asked. */
  readonly base?: string
  /** The intermediate that signs workloads. */
  readonly signer: CaCertificate
}
