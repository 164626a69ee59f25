import type { Emulator, EmulatorContext, Table } from '../emulator.ts'
import { isObject, type JsonObject, type KubernetesObject, valueAt } from '../kubernetes/json.ts'
import type { KubernetesEmulator } from '../kubernetes/kubernetes-emulator.ts'
import { GROUP } from './definitions.ts'
import { type ReadClass, readClass, type WantedSecret } from './provider-class.ts'

const CLASS = { apiVersion: `${GROUP}/v1`, kind: 'SecretProviderClass' }
const DEPLOYMENT = { apiVersion: 'apps/v1', kind: 'Deployment' }
const DRIVER = 'secrets-store.csi.k8s.io'
/** The label that the driver sets on the Secrets that it makes. */
const MANAGED = `${DRIVER}/managed`

export interface SecretsStoreOptions {
  readonly kubernetes: Pick<KubernetesEmulator, 'list' | 'get' | 'seed' | 'remove'>
  /** Vaults by their public addresses. */
  readonly vault: Emulator
  /** A token of the driver's identity for `https://vault.azure.net`. */
  readonly token: () => Promise<string>
  /** Keeps clusters apart that share one storage. */
  readonly name: string
}

/** The Secrets Store CSI driver with the provider for Azure on one cluster, and the Pods that mount its classes. */
export interface SecretsStore {
  /** Mounts what is new, looks again at what was mounted `pollMs` ago, and takes away what nobody mounts any more. */
  advance(pollMs: number): Promise<void>
}

/** Protocol: secrets-store-csi-driver.sigs.k8s.io, azure.github.io/secrets-store-csi-driver-provider-azure. */
export function secretsStore(context: EmulatorContext, options: SecretsStoreOptions): SecretsStore {
  const mounts = context.storage.table(`secrets-store-${options.name}`)
  return {
    async advance(pollMs) {
      const { kubernetes } = options
      const mounted = new Set<string>()
      for (const deployment of kubernetes.list(DEPLOYMENT.apiVersion, DEPLOYMENT.kind)) {
        const { namespace = '' } = deployment.metadata
        for (const name of classesOf(deployment)) {
          const key = `${namespace}/${name}`
          mounted.add(key)
          if (!isDue(mounts, key, context.now(), pollMs)) continue
          const isReady = await sync(options, namespace, name)
          if (isReady) mounts.put(key, context.now())
          else mounts.delete(key)
          showReady(kubernetes, deployment, isReady)
        }
      }
      for (const [key] of [...mounts.entries()]) if (!mounted.has(key)) mounts.delete(key)
      dropUnmounted(kubernetes, mounted)
    },
  }
}

/** A mount that failed is tried at once, one that worked after the poll interval. */
function isDue(mounts: Table, key: string, now: number, pollMs: number): boolean {
  const last = mounts.get(key)
  return typeof last !== 'number' || now - last >= pollMs
}

/** Fetches what a class asks for and makes its Secrets; false when it cannot be mounted. */
async function sync(options: SecretsStoreOptions, namespace: string, name: string): Promise<boolean> {
  const { kubernetes } = options
  const [live] = kubernetes.list(CLASS.apiVersion, CLASS.kind, namespace).filter((one) => one.metadata.name === name)
  const read = live && readClass(live)
  const files = read && (await fetchAll(options, read))
  if (!files) return false
  for (const secret of read.secrets) {
    const data = dataOf(secret, files)
    if (data && mayWrite(kubernetes, namespace, secret)) kubernetes.seed([secretObject(namespace, secret, data)])
  }
  return true
}

async function fetchAll(
  { vault, token }: SecretsStoreOptions,
  { vault: address, objects }: ReadClass,
): Promise<ReadonlyMap<string, string> | undefined> {
  const files = new Map<string, string>()
  for (const { objectName, objectVersion, file } of objects) {
    const url = new URL(`${address}/secrets/${objectName}/${objectVersion}?api-version=7.4`)
    const headers = { authorization: `Bearer ${await token()}` }
    const answer = await vault({ method: 'GET', url, headers, body: new Uint8Array() })
    if (answer.status !== 200) return undefined
    files.set(file, String((JSON.parse(String(answer.body)) as { value?: string }).value ?? ''))
  }
  return files
}

/** As the driver does: of a PEM with key and chain, a TLS Secret gets the key under one key and the rest under the other. */
function dataOf({ type, data }: WantedSecret, files: ReadonlyMap<string, string>): JsonObject | undefined {
  const made: JsonObject = {}
  for (const { objectName, key } of data) {
    const text = files.get(objectName)
    if (text === undefined) return undefined
    made[key] = Buffer.from(type === 'kubernetes.io/tls' ? partOf(text, key) : text).toString('base64')
  }
  return made
}

function partOf(pem: string, key: string): string {
  const blocks = pem.match(/-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----\n?/g) ?? []
  return blocks.filter((block) => block.includes('PRIVATE KEY') === (key === 'tls.key')).join('')
}

function secretObject(namespace: string, { name, type, labels, annotations }: WantedSecret, data: JsonObject) {
  const metadata = { name, namespace, labels: { ...labels, [MANAGED]: 'true' }, annotations }
  return { apiVersion: 'v1', kind: 'Secret', metadata, type, data }
}

/** A Secret that is not the driver's is left as it is. */
function mayWrite(kubernetes: SecretsStoreOptions['kubernetes'], namespace: string, { name }: WantedSecret): boolean {
  const live = kubernetes.get('v1', 'Secret', namespace, name)
  return live === undefined || live.metadata.labels?.[MANAGED] === 'true'
}

/** The Deployment's Pod is ready when its volume is there. */
function showReady(
  kubernetes: SecretsStoreOptions['kubernetes'],
  { apiVersion, kind, metadata }: KubernetesObject,
  isReady: boolean,
): void {
  const { name = '', namespace = '', generation: observedGeneration = 1 } = metadata
  const live = kubernetes.get(apiVersion, kind, namespace, name)
  if (!live) return
  const ready = isReady ? { readyReplicas: 1, availableReplicas: 1 } : { unavailableReplicas: 1 }
  const status = { observedGeneration, replicas: 1, updatedReplicas: 1, ...ready }
  kubernetes.seed([{ ...live, status } as Parameters<typeof kubernetes.seed>[0][number]])
}

/** The driver's Secrets belong to the Pods that mount their class: with the last one they go. */
function dropUnmounted(kubernetes: SecretsStoreOptions['kubernetes'], mounted: ReadonlySet<string>): void {
  const kept = new Set<string>()
  for (const live of kubernetes.list(CLASS.apiVersion, CLASS.kind)) {
    const { namespace = '', name = '' } = live.metadata
    if (!mounted.has(`${namespace}/${name}`)) continue
    for (const secret of readClass(live)?.secrets ?? []) kept.add(`${namespace}/${secret.name}`)
  }
  for (const { metadata } of kubernetes.list('v1', 'Secret')) {
    const { namespace = '', name = '', labels } = metadata
    if (labels?.[MANAGED] === 'true' && !kept.has(`${namespace}/${name}`)) {
      kubernetes.remove('v1', 'Secret', namespace, name)
    }
  }
}

/** Names of the classes that a Deployment's Pods mount. */
function classesOf(deployment: KubernetesObject): readonly string[] {
  const volumes = valueAt(deployment, ['spec', 'template', 'spec', 'volumes'])
  return (Array.isArray(volumes) ? volumes : []).flatMap((volume) => {
    const csi = isObject(volume) ? volume.csi : undefined
    if (!isObject(csi) || csi.driver !== DRIVER) return []
    const name = valueAt(csi, ['volumeAttributes', 'secretProviderClass'])
    return typeof name === 'string' ? [name] : []
  })
}
