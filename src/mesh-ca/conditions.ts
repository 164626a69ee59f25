import { type CaRotation, isCaRotationOver } from '../model/ca-rotation.ts'
import { type Condition, type Finding, no, setConditions, unknown, yes } from '../model/condition.ts'
import type { MeshCaDocument } from '../model/documents.ts'
import type { CaSet } from '../model/mesh-ca.ts'
import { timestamp } from '../model/names.ts'
import { isTrouble } from '../ports/vault-trouble.ts'
import { isAsWanted } from './bundles-gate.ts'
import { unusableMessage } from './decide-idle.ts'
import { leavesFinding } from './leaves-gate.ts'
import { wordsOf } from './mesh-words.ts'
import type { Observations } from './observations.ts'
import { rootInUse, rootLeadMs, signerLeadMs } from './renewal.ts'
import { foundCa, heldSet, whyNotBrought } from './take-over.ts'
import { isTorn, tornMessage } from './unfinished.ts'

/** What is the case about a mesh CA: Issued, TrustSpread, Renewed, NearExpiry, VaultReadable, and Ready, which sums up. */
export function caConditions(document: MeshCaDocument, seen: Observations): readonly Condition[] {
  const found: Readonly<Record<string, Finding>> = {
    Issued: issued(document, seen),
    TrustSpread: trustSpread(document, seen),
    Renewed: renewed(document, seen),
    NearExpiry: nearExpiry(document, seen.now),
    VaultReadable: vaultReadable(seen),
  }
  const all = { Ready: ready(found, document, seen.now), ...found }
  return setConditions(document.conditions, all, document.generation, timestamp(seen.now))
}

/** The newest generation that is carried out: there is a CA, and nothing is on its way. It never falls. */
export function generationSeen(document: MeshCaDocument, seen: Observations): number {
  const { generation, observedGeneration, current, rotation } = document
  const isQuiet = rotation === undefined || isCaRotationOver(rotation)
  const isDone = seen.watched !== undefined || (current !== undefined && isQuiet && !isTrouble(seen.vault))
  return isDone ? generation : observedGeneration
}

function issued(document: MeshCaDocument, { vault, watched, trust, now }: Observations): Finding {
  const { current, rotation, spec } = document
  if (watched) return unknown(watched.reason, watched.message)
  if (isTrouble(vault)) return current ? yes('Current', signs(current)) : no(vault.reason, vault.message)
  const isThere = Object.keys(vault.versions).length > 0
  if (vault.hasEnded) return no('Ended', vault.problems.join(' '))
  if (isThere && (!vault.set || vault.problems.length > 0)) {
    const live = rotation && !isCaRotationOver(rotation) ? rotation : undefined
    // While the four are written one after the other they do not fit together.
    if (current && live && isWriting(live, now)) return yes('Writing', signs(current))
    if (live && isTorn(live, vault)) return no('Torn', tornMessage(live))
    return no('BundleUnusable', unusableMessage(spec, vault.problems, true, current !== undefined))
  }
  const isQuiet = rotation === undefined || isCaRotationOver(rotation)
  const kept = isQuiet && vault.set ? whyNotBrought(document, vault.set, trust) : undefined
  if (kept) return no(kept.reason, kept.message)
  if (current)
    return isThere ? yes('Current', signs(current)) : no('SecretsGone', unusableMessage(spec, [], false, true))
  if (rotation) return no(rotation.reason, rotation.message)
  const found = spec.purpose === 'linkerd-identity' ? foundCa(document, trust) : undefined
  if (found?.kind === 'unusable') return no(found.reason, found.message)
  return no('NotIssued', 'The vault holds no CA yet.')
}

/** Is somebody at it now? What waits to be asked again after trouble bears the reason of that. */
function isWriting({ reason, askedUntil }: CaRotation, now: number): boolean {
  return askedUntil !== undefined && Date.parse(askedUntil) > now && (reason === 'Writing' || reason === 'EndsSoon')
}

function signs({ signer, roots }: CaSet): string {
  const serials = roots.map(({ serial }) => serial)
  return `Serial ${signer.serial} signs; trusted: ${serials.join(', ')}.`
}

function trustSpread({ current }: MeshCaDocument, { trust }: Observations): Finding {
  if (!trust) return unknown('NotLookedAt', 'The cluster has not been looked at yet.')
  if (trust.state === 'failed') return unknown(trust.reason, trust.message)
  if (!current) return unknown('NotIssued', 'There is nothing to compare trust bundles with yet.')
  if (trust.without.length > 0)
    return no('NamespacesWithout', `There is no trust bundle in ${trust.without.join(', ')}.`)
  const roots = current.roots.map(({ fingerprint }) => fingerprint)
  const astray = trust.bundles.filter((group) => !isAsWanted(group, { roots, exact: false }))
  if (astray.length > 0) {
    const examples = astray.flatMap((group) => group.examples).slice(0, 5)
    return no('RootsMissing', `Trust bundles lack a root of the vault: ${examples.join(', ')}.`)
  }
  const isMore = trust.bundles.some((group) => !isAsWanted(group, { roots, exact: true }))
  if (isMore)
    return yes('MoreTrusted', 'Every trust bundle holds the roots of the vault, and some hold others besides.')
  return yes('Spread', 'Every trust bundle holds the roots of the vault, and no others.')
}

function renewed({ current, rotation, spec }: MeshCaDocument, { trust }: Observations): Finding {
  const { signer } = wordsOf(spec)
  const live = rotation && !isCaRotationOver(rotation) ? rotation : undefined
  if (live && (live.phase === 'switching' || live.phase === 'renewing')) return no(live.reason, live.message)
  const shown = trust?.state === 'seen' ? trust.istiod?.chainNotAfter : undefined
  const leaves = current && trust && leavesFinding(current, trust)
  if (leaves && (leaves.status === 'False' || shown === undefined)) return leaves
  if (!current || shown === undefined)
    return unknown('NotKnown', `The cluster’s metrics do not tell which certificate ${signer} signs with.`)
  if (Math.abs(Date.parse(shown) - Date.parse(current.signer.notAfter)) > 1000) {
    return no(
      'OtherSigner',
      `${signer} signs with a certificate that ends at ${shown}, not with serial ${current.signer.serial}.`,
    )
  }
  return yes('Renewed', `${signer} signs with serial ${current.signer.serial}.${leaves ? ` ${leaves.message}` : ''}`)
}

function nearExpiry(document: MeshCaDocument, now: number): Finding {
  const { spec } = document
  const current = heldSet(document)
  const root = current && rootInUse(current)
  if (!current || !root) return no('NotIssued', 'There is no CA yet.')
  const { signer } = current
  const message = `Intermediate ${signer.serial} ends at ${signer.notAfter}, root ${root.serial} at ${root.notAfter}.`
  const [signerEnd, rootEnd] = [Date.parse(signer.notAfter), Date.parse(root.notAfter)]
  if (Math.min(signerEnd, rootEnd) <= now) return yes('Ended', message)
  const isNear = signerEnd - now <= signerLeadMs(spec, signer) || rootEnd - now <= rootLeadMs(spec, root)
  return isNear ? yes('EndsSoon', message) : no('TimeLeft', message)
}

function vaultReadable({ vault }: Observations): Finding {
  return isTrouble(vault) ? no(vault.reason, vault.message) : yes('Answers', 'The vault answers.')
}

function ready(found: Readonly<Record<string, Finding>>, { current, rotation }: MeshCaDocument, now: number): Finding {
  if (current && Date.parse(current.signer.notAfter) <= now)
    return no('Ended', `Serial ${current.signer.serial} has ended.`)
  const missing = ['Issued', 'TrustSpread'].map((type) => found[type]).find((finding) => finding?.status === 'False')
  if (missing) return missing
  if (!current) return found.Issued ?? unknown('NotIssued', 'There is no CA yet.')
  if (rotation?.phase === 'failed') {
    return yes('RotationFailed', `Serial ${current.signer.serial} signs. The last rotation failed: ${rotation.message}`)
  }
  return yes('Ready', `Serial ${current.signer.serial} signs.`)
}
