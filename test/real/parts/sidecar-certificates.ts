import { createHash, X509Certificate } from 'node:crypto'
import type { SidecarPod } from './sidecar.ts'

/** What a sidecar shows to others and trusts in others, as its Envoy has it now. */
export interface SidecarCertificates {
  readonly leaf: X509Certificate
  /** What is sent with the leaf: its issuer first. */
  readonly chain: readonly X509Certificate[]
  /** SHA-256 of each root's DER, in order. */
  readonly roots: readonly string[]
  /** Of the root that the leaf chains to; undefined: the chain is broken. */
  readonly root: string | undefined
}

interface Secret {
  readonly name: string
  readonly secret?: {
    readonly tls_certificate?: { readonly certificate_chain?: Inline }
    readonly validation_context?: { readonly trusted_ca?: Inline }
  }
}
interface Inline {
  readonly inline_bytes?: string
}

/** Reads them from Envoy's admin API; the key does not leave it. Throws while it has none yet. */
export async function sidecarCertificates({ adminPort }: Pick<SidecarPod, 'adminPort'>): Promise<SidecarCertificates> {
  const answer = await fetch(`http://127.0.0.1:${adminPort}/config_dump?resource=dynamic_active_secrets`)
  const { configs } = (await answer.json()) as { readonly configs?: readonly Secret[] }
  const of = (name: string) => configs?.find((one) => one.name === name)?.secret
  const [leaf, ...chain] = certificatesOf(of('default')?.tls_certificate?.certificate_chain)
  const trusted = certificatesOf(of('ROOTCA')?.validation_context?.trusted_ca)
  if (!leaf) throw new Error('the sidecar has no certificate yet')
  return { leaf, chain, roots: trusted.map(fingerprint), root: rootOf(leaf, chain, trusted) }
}

/** SHA-256 of the DER, lower-case hex. */
export function fingerprint({ raw }: X509Certificate): string {
  return createHash('sha256').update(raw).digest('hex')
}

/** The certificates of a PEM text. */
export function certificatesIn(pem: string): readonly X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? []
  return blocks.map((block) => new X509Certificate(block))
}

function certificatesOf(inline: Inline | undefined): readonly X509Certificate[] {
  return certificatesIn(Buffer.from(inline?.inline_bytes ?? '', 'base64').toString())
}

/** Follows signatures from the leaf up; among what comes with it, then among `trusted`. */
function rootOf(
  leaf: X509Certificate,
  chain: readonly X509Certificate[],
  trusted: readonly X509Certificate[],
): string | undefined {
  let below = leaf
  for (const _ of [leaf, ...chain]) {
    const root = trusted.find((one) => hasSigned(one, below))
    if (root) return fingerprint(root)
    const above = chain.find((one) => one !== below && hasSigned(one, below))
    if (!above) return undefined
    below = above
  }
  return undefined
}

function hasSigned(above: X509Certificate, below: X509Certificate): boolean {
  return below.checkIssued(above) && below.verify(above.publicKey)
}

/** What the listeners of sidecars have counted since they began. */
export interface Handshakes {
  readonly done: number
  /** By a ticket of an earlier one: nobody looked at certificates then. */
  readonly resumed: number
  readonly failed: number
}

/** Sums over sidecars that keep the statistics `listener.`. */
export async function handshakesOf(pods: readonly Pick<SidecarPod, 'adminPort'>[]): Promise<Handshakes> {
  const texts = pods.map(async ({ adminPort }) =>
    (await fetch(`http://127.0.0.1:${adminPort}/stats?filter=^listener.*ssl`)).text(),
  )
  const lines = (await Promise.all(texts)).join('\n').split('\n')
  const sum = (...names: readonly string[]) =>
    lines.reduce((total, line) => {
      const [, name = '', value] = /\.ssl\.(\w+): (\d+)$/.exec(line) ?? []
      return names.includes(name) ? total + Number(value) : total
    }, 0)
  const failed = sum('connection_error', 'fail_verify_error', 'fail_verify_san', 'fail_verify_no_cert')
  return { done: sum('handshake'), resumed: sum('session_reused'), failed }
}

/** What sidecars showed and trusted while they were watched. */
export interface WatchedLeaves {
  /** Roots of leaves, in the order in which they were first seen. */
  readonly roots: readonly string[]
  /** Serials of what signed leaves, likewise. */
  readonly signers: readonly string[]
  /** Where one did not trust the root of another's leaf. */
  readonly untrusted: readonly string[]
  readonly looks: number
}

/** Looks at all sidecars again and again until it is stopped. */
export function watchLeaves(pods: readonly SidecarPod[], pauseMs = 500): { stop(): Promise<WatchedLeaves> } {
  const [roots, signers, untrusted] = [new Set<string>(), new Set<string>(), new Set<string>()]
  let looks = 0
  let ended = false
  const look = async () => {
    const seen = await Promise.all(pods.map(async (pod) => ({ pod, ...(await sidecarCertificates(pod)) })))
    looks += 1
    for (const { pod, root, chain } of seen) {
      roots.add(root ?? `none of ${pod.name}`)
      signers.add(chain[0]?.serialNumber.toLowerCase() ?? '')
      const without = seen.find((other) => root === undefined || !other.roots.includes(root))
      if (without) untrusted.add(`${without.pod.name} does not trust ${root}, of ${pod.name}`)
    }
  }
  const running = (async () => {
    while (!ended) {
      await look().catch(() => undefined)
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  })()
  return {
    async stop() {
      ended = true
      await running
      return { roots: [...roots], signers: [...signers], untrusted: [...untrusted], looks }
    },
  }
}
