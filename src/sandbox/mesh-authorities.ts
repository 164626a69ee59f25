import { parse } from 'yaml'
import * as z from 'zod'
import type { AddOnAzure } from './emulated-add-ons.ts'
import { SANDBOX_CLUSTERS } from './emulated-cluster.ts'
import type { EmulatedClusters } from './emulated-clusters.ts'
import type { EmulatorContext, Table } from './emulators/emulator.ts'
import type { CaTexts } from './emulators/istiod/ca-bundle.ts'
import { generateKey, privateKeyOf } from './emulators/key-vault/keys.ts'
import { pem } from './emulators/key-vault/pem.ts'
import { authority } from './emulators/key-vault/x509.ts'
import type { KubernetesEmulator } from './emulators/kubernetes/kubernetes-emulator.ts'
import { sandboxClusterId } from './managed-clusters.ts'
import { addOnOf, goDurationMs, pollMs } from './secrets-stores.ts'

/** The CAs of the sandbox's meshes. */
export interface MeshAuthorities {
  /** Brings what is in the vault to each istiod at the CSI driver's interval, and has each do what is due. */
  advance(): Promise<void>
}

const TEN_YEARS_MS = 315_360_000_000
const DAY = '24h'

/**
 * As AKS has it: with a plug-in CA the CSI driver mounts four secrets of the vault where istiod looks for them, all four or
 * none; without, istiod makes its own root. Leaves last for a day, or as `SECRET_TTL` of the proxies in the ConfigMap
 * istio-shared-configmap-REVISION says.
 */
export function meshAuthorities(
  context: EmulatorContext,
  { clusters, istiods }: Pick<EmulatedClusters, 'clusters' | 'istiods'>,
  azure: AddOnAzure,
): MeshAuthorities {
  const folders = new Map<string, { readonly at: number; readonly texts: CaTexts | undefined }>()
  const made = context.storage.table('self-signed-mesh-ca')
  const textsOf = async (name: string): Promise<CaTexts | undefined> => {
    const plugIn = plugInOf(azure.arm, name)
    if (!plugIn) return selfSigned(made, name, context.now())
    const [held, addOn] = [folders.get(name), addOnOf(azure.arm, name)]
    const isRotated = addOn?.enabled === true && addOn.config?.enableSecretRotation === 'true'
    const wait = held?.texts === undefined ? 0 : isRotated ? pollMs(addOn) : Number.POSITIVE_INFINITY
    if (held && context.now() - held.at < wait) return held.texts
    // A mount that fails changes nothing of what is there.
    const texts = addOn?.enabled === true ? ((await fetchTexts(azure, plugIn)) ?? held?.texts) : held?.texts
    folders.set(name, { at: context.now(), texts })
    return texts
  }
  const advance = async () => {
    for (const name of SANDBOX_CLUSTERS) {
      const kubernetes = clusters.get(name)?.kubernetes
      if (kubernetes) istiods.get(name)?.advance(await textsOf(name), ttlOf(kubernetes))
    }
  }
  let running: Promise<void> | undefined
  return {
    advance() {
      running ??= advance().finally(() => {
        running = undefined
      })
      return running
    },
  }
}

const plugInSchema = z.object({
  istio: z.object({
    certificateAuthority: z.object({
      plugin: z.object({
        keyVaultId: z.string(),
        rootCertObjectName: z.string(),
        certObjectName: z.string(),
        certChainObjectName: z.string(),
        keyObjectName: z.string(),
      }),
    }),
  }),
})
type PlugIn = z.infer<typeof plugInSchema>['istio']['certificateAuthority']['plugin']

function plugInOf(arm: AddOnAzure['arm'], name: string): PlugIn | undefined {
  const parsed = plugInSchema.safeParse(arm.get(sandboxClusterId(name))?.properties.serviceMeshProfile)
  return parsed.data?.istio.certificateAuthority.plugin
}

/** Undefined when one of the four cannot be had. */
async function fetchTexts({ keyVault, entra }: AddOnAzure, plugIn: PlugIn): Promise<CaTexts | undefined> {
  const vault = plugIn.keyVaultId.split('/').at(-1)
  const authorization = `Bearer ${await entra.issueServiceToken('https://vault.azure.net')}`
  const fetchText = async (name: string): Promise<string | undefined> => {
    const url = new URL(`https://${vault}.vault.azure.net/secrets/${name}?api-version=7.4`)
    const answer = await keyVault.handle({ method: 'GET', url, headers: { authorization }, body: new Uint8Array() })
    return answer.status === 200 ? (JSON.parse(String(answer.body)) as { value?: string }).value : undefined
  }
  const rootCert = await fetchText(plugIn.rootCertObjectName)
  const caCert = await fetchText(plugIn.certObjectName)
  const certChain = await fetchText(plugIn.certChainObjectName)
  const caKey = await fetchText(plugIn.keyObjectName)
  if (rootCert === undefined || caCert === undefined || certChain === undefined || caKey === undefined) return undefined
  return { rootCert, caCert, certChain, caKey }
}

/** A root that signs leaves itself, made once. */
async function selfSigned(table: Table, name: string, now: number): Promise<CaTexts> {
  const kept = table.get(name) as CaTexts | undefined
  if (kept) return kept
  const key = await generateKey({ kty: 'EC', curve: 'P-256' })
  const validity = { notBefore: now, notAfter: now + TEN_YEARS_MS, serial: Buffer.from(name).toString('hex') }
  const { der } = await authority(key, 'O=cluster.local', validity)
  const root = pem('CERTIFICATE', der)
  const caKey = String(privateKeyOf(key).export({ format: 'pem', type: 'pkcs8' }))
  const texts = { rootCert: root, caCert: root, certChain: root, caKey }
  table.put(name, texts)
  return texts
}

const shared = z.object({ defaultConfig: z.object({ proxyMetadata: z.object({ SECRET_TTL: z.string() }) }) })

function ttlOf(kubernetes: Pick<KubernetesEmulator, 'list'>): number {
  const settings = kubernetes
    .list('v1', 'ConfigMap', 'aks-istio-system')
    .filter(({ metadata }) => metadata.name?.startsWith('istio-shared-configmap-'))
    .map(({ data }) => shared.safeParse(parseYaml((data as { readonly mesh?: string } | undefined)?.mesh ?? '')).data)
  return goDurationMs(settings.find((one) => one !== undefined)?.defaultConfig.proxyMetadata.SECRET_TTL ?? DAY)
}

function parseYaml(text: string): unknown {
  try {
    return parse(text)
  } catch {
    return undefined
  }
}
