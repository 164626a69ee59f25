import { rootsOf } from '../authority/trust.ts'
import type { CaSecretNames, CaSet, MeshCaSpec } from '../model/mesh-ca.ts'
import type { SecretContent } from '../ports/vault-secrets.ts'
import type { CaVault } from './ca-vault.ts'
import { PARTS, type SecretMark, type VaultSeen } from './observations.ts'

const TAGS = { rotation: 'meshwright-rotation', phase: 'meshwright-phase', direction: 'meshwright-direction' } as const

/** Tags of a version that a phase writes. */
export function tagsOf({ rotation, phase, direction }: SecretMark): Readonly<Record<string, string>> {
  return { [TAGS.rotation]: rotation, [TAGS.phase]: phase, [TAGS.direction]: direction }
}

/** Was it made by this rotation? */
export function isOf(tags: Readonly<Record<string, string>>, { id }: { readonly id: string }): boolean {
  return tags[TAGS.rotation] === id
}

function markOf({ tags }: SecretContent): SecretMark | undefined {
  const [rotation, phase, direction] = [tags[TAGS.rotation], tags[TAGS.phase], tags[TAGS.direction]]
  return rotation === undefined || phase === undefined || direction === undefined
    ? undefined
    : { rotation, phase, direction }
}

/** The newest versions of the four secrets; the key among them: for memory only. */
export type FourSecrets = Readonly<Partial<Record<keyof CaSecretNames, SecretContent>>>

export async function readFour({ secrets, names }: CaVault): Promise<FourSecrets> {
  const read = await Promise.all(PARTS.map(async (part) => [part, await secrets.readSecret(names[part])] as const))
  return Object.fromEntries(read.filter(([, secret]) => secret !== undefined))
}

/**
 * What the four hold, without the key. `now` is epoch milliseconds. Versions do not change: those of `known`, which were
 * checked when they came, are only asked whether they have ended since.
 */
export async function seeFour(
  four: FourSecrets,
  now: number,
  purpose: MeshCaSpec['purpose'],
  known?: CaSet,
): Promise<VaultSeen> {
  const there = PARTS.filter((part) => four[part] !== undefined)
  const versions = Object.fromEntries(there.map((part) => [part, four[part]?.version]))
  const marks = Object.fromEntries(there.flatMap((part) => markOfPart(four, part)))
  if (known && PARTS.every((part) => four[part]?.version === known.versions[part])) {
    return { set: known, problems: endedIn(known, now), versions, marks }
  }
  const set = setOf(four)
  if (!set) return { problems: there.length === 0 ? [] : missing(four), versions, marks }
  const { checkBundle } = await import('../authority/ca-bundle.ts')
  const bundle = bundleOf(four)
  // What lies there is not found fault with for its form, as long as the mesh would take it.
  const problems = bundle ? checkBundle(bundle, { purpose, now, heldRoots: bundle.rootCert }) : []
  return { set, problems: problems.map(({ message }) => message), versions, marks }
}

function endedIn({ signer, roots }: CaSet, now: number): readonly string[] {
  const ended = [signer, ...roots].filter(({ notAfter }) => Date.parse(notAfter) <= now)
  return ended.map(({ subject, notAfter }) => `${subject} has expired at ${notAfter}.`)
}

function markOfPart(four: FourSecrets, part: keyof CaSecretNames): readonly (readonly [string, SecretMark])[] {
  const secret = four[part]
  const mark = secret && markOf(secret)
  return mark ? [[part, mark]] : []
}

function missing(four: FourSecrets): readonly string[] {
  const lacking = PARTS.filter((part) => four[part] === undefined)
  return lacking.length > 0 ? [`${lacking.join(', ')} is missing.`] : ['A certificate in it cannot be read.']
}

/** The four texts; undefined while one is missing. */
export function bundleOf(four: FourSecrets): Readonly<Record<keyof CaSecretNames, string>> | undefined {
  const { rootCert, caCert, certChain, caKey } = four
  if (!rootCert || !caCert || !certChain || !caKey) return undefined
  return { rootCert: rootCert.value, caCert: caCert.value, certChain: certChain.value, caKey: caKey.value }
}

function setOf(four: FourSecrets): CaSet | undefined {
  const { rootCert, caCert, certChain, caKey } = four
  if (!rootCert || !caCert || !certChain || !caKey) return undefined
  const roots = rootsOf(rootCert.value)
  const signers = rootsOf(caCert.value)
  const [signer] = signers.ok ? signers.value : []
  if (!roots.ok || !signer) return undefined
  return {
    rootCert: rootCert.value,
    caCert: caCert.value,
    certChain: certChain.value,
    versions: {
      rootCert: rootCert.version,
      caCert: caCert.version,
      certChain: certChain.version,
      caKey: caKey.version,
    },
    roots: roots.value,
    signer,
  }
}
