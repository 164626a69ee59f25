import { type Condition, type Finding, no, setConditions, yes } from '../model/condition.ts'
import type { CertificateDocument } from '../model/documents.ts'
import { leadMs } from '../model/expiry.ts'
import { timestamp } from '../model/names.ts'
import { isRotationOver } from '../model/rotation.ts'
import { isTrouble } from '../ports/vault-trouble.ts'
import { policyDigest, uncoveredHosts } from './issue-policy.ts'
import { goneMessage, isGone, type Observations } from './observations.ts'
import { isDelivered } from './release.ts'

/** What is the case about a certificate: Issued, Delivered, NearExpiry, VaultReadable, and Ready, which sums up. */
export function certificateConditions(document: CertificateDocument, seen: Observations): readonly Condition[] {
  const found: Readonly<Record<string, Finding>> = {
    Issued: issued(document, seen),
    Delivered: delivered(document, seen),
    NearExpiry: nearExpiry(document, seen.now),
    VaultReadable: vaultReadable(seen),
  }
  const all = { Ready: ready(found, document, seen.now), ...found }
  return setConditions(document.conditions, all, document.generation, timestamp(seen.now))
}

/** The newest generation that every cluster has carried, proven. It never falls: a later rotation undoes no change. */
export function generationSeen(document: CertificateDocument, seen: Observations): number {
  const { generation, observedGeneration, current, spec, clusters, leaving } = document
  const done =
    current !== undefined &&
    leaving.length === 0 &&
    uncoveredHosts(spec.dnsNames, current.dnsNames).length === 0 &&
    clusters.every((cluster) => isDelivered(document, cluster, current.version, seen.deliveries))
  return done ? generation : observedGeneration
}

function issued({ current, rotation, spec }: CertificateDocument, { vault }: Observations): Finding {
  const live = rotation !== undefined && !isRotationOver(rotation)
  if (current) {
    const missing = uncoveredHosts(spec.dnsNames, current.dnsNames)
    if (isGone(vault)) return no('VersionGone', goneMessage(current))
    if (missing.length === 0) return yes('Current', `Serial ${current.serial} is current.`)
    return no('HostsMissing', `Serial ${current.serial} does not serve ${missing.join(', ')}.`)
  }
  const checked = rotation?.phase === 'awaiting-window' || rotation?.phase === 'delivering'
  if (checked) return yes('Checked', `Serial ${rotation.candidate?.serial} passed its checks and is on its way.`)
  if (live || rotation?.phase === 'failed') return no(rotation.reason, rotation.message)
  return no('NotIssued', 'There is no version yet.')
}

function delivered(document: CertificateDocument, { deliveries }: Observations): Finding {
  const { clusters, targets, leaving, current } = document
  if (leaving.length > 0) return no('Leaving', `Is being removed from ${leaving.join(', ')}.`)
  if (clusters.length === 0) return yes('NoClusters', 'No cluster wants it.')
  const waiting = clusters.filter((cluster) => {
    const target = targets[cluster]
    return !target || !isDelivered(document, cluster, target.version, deliveries)
  })
  if (waiting.length === 0) {
    const serials = new Set(clusters.map((cluster) => targets[cluster]?.serial))
    return yes('Delivered', `Every cluster holds what it is to hold: serial ${[...serials].join(', ')}.`)
  }
  const words = waiting.map((cluster) => {
    const delivery = deliveries.find((other) => other.cluster === cluster)
    if (!targets[cluster]) return `${cluster}: waits for a version`
    return delivery && delivery.state !== 'delivered' ? `${cluster}: ${delivery.message}` : `${cluster}: is on its way`
  })
  return no(current ? 'Delivering' : 'NotDelivered', words.join(' '))
}

function nearExpiry({ current, spec }: CertificateDocument, now: number): Finding {
  if (!current) return no('NotIssued', 'There is no version yet.')
  const end = Date.parse(current.notAfter)
  const message = `Serial ${current.serial} ends at ${current.notAfter}.`
  if (end <= now) return yes('Ended', message)
  return end - now <= leadMs(spec, current) ? yes('EndsSoon', message) : no('TimeLeft', message)
}

function vaultReadable({ vault }: Observations): Finding {
  return isTrouble(vault) ? no(vault.reason, vault.message) : yes('Answers', 'The vault answers.')
}

function ready(found: Readonly<Record<string, Finding>>, document: CertificateDocument, now: number): Finding {
  const { current, rotation, spec } = document
  if (current && Date.parse(current.notAfter) <= now) return no('Ended', `Serial ${current.serial} has ended.`)
  const missing = ['Issued', 'Delivered'].map((type) => found[type]).find((finding) => finding?.status !== 'True')
  if (missing) return missing
  if (!current) return no('NotDelivered', 'No version has been proven on every cluster yet.')
  if (rotation?.phase === 'failed' && rotation.policy === policyDigest(spec)) {
    return yes('RotationFailed', `Serial ${current.serial} is served. The last rotation failed: ${rotation.message}`)
  }
  return yes('Ready', `Serial ${current.serial} is served everywhere.`)
}
