import { createHash } from 'node:crypto'
import type { EmulatorContext, Table } from '../emulator.ts'
import type { KubernetesEmulator } from '../kubernetes/kubernetes-emulator.ts'
import type { LogLine } from '../kubernetes/pod-log.ts'
import type { SeriesSource } from '../prometheus/series-source.ts'
import { type CaBundle, type CaTexts, mayReplaceRoots, readBundle } from './ca-bundle.ts'
import { type CitadelPoint, citadelSeries } from './citadel-series.ts'
import { failingPairs, type Leaf, renewLeaves } from './leaves.ts'

/** istiod as a CA, and the proxies that it gives certificates to. */
export interface IstiodEmulator {
  /**
   * Looks at its folder: `texts` are what is there now, undefined while one of the four is missing. Takes them if it would,
   * then writes trust bundles and renews what is due. Leaves of `ttlMs`.
   */
  advance(texts: CaTexts | undefined, ttlMs: number): void
  /** Forgets what it has in memory and reads its folder anew: what it would not take it does not start with. */
  restart(): void
  readonly metrics: SeriesSource
  /** By uid of the Pod. */
  leaves(): ReadonlyMap<string, Leaf>
  /** What it signs with; undefined while it has nothing. */
  bundle(): CaBundle | undefined
  /** Its words about its CA, the newest last. */
  log(): readonly string[]
}

export interface IstiodOptions {
  readonly kubernetes: Pick<KubernetesEmulator, 'list' | 'get' | 'seed' | 'readLogs'>
  /** Keeps clusters apart that share one storage. */
  readonly name: string
}

const CONFIG_MAP = 'istio-ca-root-cert'
const IGNORED = ['kube-system', 'kube-public', 'kube-node-lease', 'local-path-storage']
const MOST_POINTS = 500
const MOST_LINES = 100

interface State {
  readonly bundle?: CaBundle
  /** Of the texts that it looked at last: what it refused is not looked at again. */
  readonly seen?: string
  readonly leaves: readonly (readonly [uid: string, leaf: Leaf])[]
  readonly points: readonly CitadelPoint[]
  readonly failures: number
  readonly said: readonly LogLine[]
}

/** Where the AKS add-on runs it, and how it names its Pods. */
const POD = { namespace: 'aks-istio-system', name: 'istiod-asm-1-30-5c8f7d9b4-x2v7q' }

/**
 * Behaves as istiod does with a plug-in CA and ISTIO_MULTIROOT_MESH (`pilot/pkg/bootstrap/istio_ca.go`): roots that are not
 * related to those it has, and what does not verify, leave the old in memory, all of it. Its state is kept: a restart of the
 * sandbox is none of istiod. It runs in a Pod, whose log the Kubernetes API gives.
 */
export function istiodEmulator(context: EmulatorContext, options: IstiodOptions): IstiodEmulator {
  const table = context.storage.table(`istiod-${options.name}`)
  const state = () => readState(table)
  options.kubernetes.seed([istiodPod()])
  options.kubernetes.readLogs(({ metadata: { namespace, name } }) => {
    return namespace === POD.namespace && name === POD.name ? state().said : undefined
  })
  return {
    advance(texts, ttlMs) {
      const before = state()
      const taken = texts ? take(before, texts, context.now()) : before
      const next = taken.bundle ? serve(taken, taken.bundle, options.kubernetes, { now: context.now(), ttlMs }) : taken
      if (next !== before) table.put('state', next)
    },
    restart() {
      const { bundle: _bundle, seen: _seen, said, ...kept } = state()
      const line = { at: context.now(), text: 'istiod starts' }
      table.put('state', { ...kept, said: [...said, line].slice(-MOST_LINES) })
    },
    metrics: citadelSeries(() => state().points, context.now),
    leaves: () => new Map(state().leaves),
    bundle: () => state().bundle,
    log: () => state().said.map(({ text }) => text),
  }
}

function readState(table: Table): State {
  return { leaves: [], points: [], failures: 0, said: [], ...(table.get('state') as Partial<State> | undefined) }
}

function take(before: State, texts: CaTexts, now: number): State {
  const seen = createHash('sha256').update(JSON.stringify(texts)).digest('hex')
  if (seen === before.seen) return before
  const say = (...lines: readonly string[]) => {
    const said = ['Update Istiod cacerts', ...lines].map((text) => ({ at: now, text }))
    return { ...before, seen, said: [...before.said, ...said].slice(-MOST_LINES) }
  }
  const held = before.bundle
  if (held && held.rootCert !== texts.rootCert && !mayReplaceRoots(held.rootCert, texts.rootCert))
    return say('Updating new ROOT-CA not supported')
  const read = readBundle(texts, now)
  if (!read.ok) return say(`Failed to update new Plug-in CA certs: ${read.why}`)
  // It starts with what it finds, and says no more of it.
  if (!held) return { ...before, seen, said: [{ at: now, text: 'Use local CA certificate' }], bundle: read.bundle }
  const news = held.rootCert === texts.rootCert ? [] : ['Updating new ROOT-CA']
  const words = 'Istiod has detected the newly added intermediate CA and updated its key and certs accordingly'
  const anchors = ['update root cert and generate new dns certs', 'Update trust anchor with new root cert']
  return { ...say(...news, ...anchors, words, 'Istiod certificates are reloaded'), bundle: read.bundle }
}

function serve(
  before: State,
  bundle: CaBundle,
  kubernetes: IstiodOptions['kubernetes'],
  { now, ttlMs }: { readonly now: number; readonly ttlMs: number },
): State {
  writeBundles(kubernetes, bundle)
  const held = new Map(before.leaves)
  const leaves = renewLeaves(held, kubernetes.list('v1', 'Pod'), bundle, { now, ttlMs })
  const failures = before.failures + failingPairs(leaves.values(), now).length
  const point = {
    at: now,
    chainNotAfter: bundle.signer.notAfter,
    rootNotAfter: bundle.rootNotAfter,
    failures,
  }
  const last = before.points.at(-1)
  const isNewPoint = JSON.stringify({ ...last, at: now }) !== JSON.stringify(point)
  const isSame = leaves.size === held.size && [...leaves].every(([uid, leaf]) => held.get(uid) === leaf)
  if (isSame && !isNewPoint) return before
  const points = isNewPoint ? [...before.points, point].slice(-MOST_POINTS) : before.points
  return { ...before, bundle, leaves: [...leaves], points, failures }
}

function writeBundles(kubernetes: IstiodOptions['kubernetes'], { rootCert }: CaBundle): void {
  const data = { 'root-cert.pem': rootCert }
  for (const { metadata } of kubernetes.list('v1', 'Namespace')) {
    const { name = '', deletionTimestamp } = metadata
    if (IGNORED.includes(name) || deletionTimestamp !== undefined) continue
    const live = kubernetes.get('v1', 'ConfigMap', name, CONFIG_MAP)
    if ((live?.data as typeof data | undefined)?.['root-cert.pem'] === rootCert) continue
    const labels = { 'istio.io/config': 'true' }
    kubernetes.seed([
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: CONFIG_MAP, namespace: name, labels }, data },
    ])
  }
}

function istiodPod() {
  const labels = { app: 'istiod', 'istio.io/rev': 'asm-1-30' }
  const containers = [{ name: 'discovery', image: 'mcr.microsoft.com/oss/istio/pilot:1.30.2' }]
  const spec = { nodeName: 'aks-nodepool1-0', containers }
  return { apiVersion: 'v1', kind: 'Pod', metadata: { ...POD, labels }, spec, status: { phase: 'Running' } }
}
