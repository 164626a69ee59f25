import type { CertificateSpec } from '../model/certificate.ts'
import { certificateEvent } from '../model/certificate-event.ts'
import { type CertificateDocument, SCHEMA } from '../model/documents.ts'
import { type Failure, fail, type Result, succeed } from '../model/failure.ts'
import { actorOf } from '../model/identity.ts'
import type { RequestContext } from '../model/request.ts'
import { type PutOutcome, putDocument } from '../ports/put-document.ts'
import { rotateWork } from './certificate-work.ts'
import { checkReferences } from './check-references.ts'
import { type CertificateDeps, vaultOf } from './deps.ts'
import { vaultNameOf } from './issue-policy.ts'
import { retarget } from './retarget.ts'
import { startRotation } from './start-rotation.ts'

/** Registers a certificate, or replaces what is wanted of it. One write: the outbox carries all work that follows. */
export async function putCertificate(
  deps: CertificateDeps,
  name: string,
  spec: CertificateSpec,
  context: RequestContext,
): Promise<Result<PutOutcome<CertificateDocument>>> {
  return putDocument(deps, {
    kind: 'certificate',
    key: name,
    spec,
    context,
    build: async (before, now) => {
      if (before?.deletingAt) return fail('Deleting', `Certificate ${name} is being deleted.`)
      const moved = before && refuseMove(deps, before, spec)
      if (moved) return { ok: false, failure: moved }
      const clusters = await checkReferences(deps, name, spec)
      if (!clusters.ok) return clusters
      const chosen = clusters.value
      const document = before
        ? changed(before, spec, chosen, context, now)
        : registered(name, spec, chosen, context, now)
      return succeed({ document, warnings: warningsOf(spec) })
    },
  })
}

/** Versions are names within one vault: another vault, or another name in it, is another certificate. */
function refuseMove(deps: CertificateDeps, before: CertificateDocument, spec: CertificateSpec): Failure | undefined {
  if (before.spec.purpose !== spec.purpose) {
    const errors = [{ pointer: '/purpose', reason: 'cannot change' }]
    return fail('Conflict', `${before.name} is a certificate of purpose ${before.spec.purpose}.`, {
      errors,
      hint: 'Register it under another name, with another Secret.',
    }).failure
  }
  const same = vaultOf(deps, before.spec) === vaultOf(deps, spec)
  if (same && vaultNameOf(before).toLowerCase() === vaultNameOf({ name: before.name, spec }).toLowerCase())
    return undefined
  const errors = [{ pointer: same ? '/vaultName' : '/vault', reason: 'cannot change' }]
  return fail('Conflict', 'A certificate cannot move to another place in a vault.', {
    errors,
    hint: 'Register it under another name, with another Secret, and point the gateway to that.',
  }).failure
}

/** A new certificate begins with a rotation that looks for a version, or has one made. */
function registered(
  name: string,
  spec: CertificateSpec,
  clusters: readonly string[],
  context: RequestContext,
  now: string,
): CertificateDocument {
  const actor = actorOf(context.caller)
  const message = `Certificate ${name} was registered.`
  const revision = Math.floor(Date.parse(now) / 1000)
  const event = certificateEvent(name, 'certificate.registered', {
    id: now,
    time: now,
    actor,
    reason: 'Registered',
    message,
    data: { dnsNames: spec.dnsNames, clusters },
  })
  const document: CertificateDocument = {
    schema: SCHEMA,
    kind: 'certificate',
    name,
    spec,
    generation: 1,
    observedGeneration: 0,
    conditions: [],
    history: [],
    clusters,
    targets: {},
    leaving: [],
    revision,
    warned: [],
    idempotency: [],
    outbox: [],
    dueAt: now,
    createdAt: now,
    updatedAt: now,
  }
  const start = { actor, reason: 'Registered', message, unique: ['registered'] }
  const step = startRotation({ document, entries: [event] }, start, Date.parse(now))
  return { ...step.document, outbox: [...step.entries, rotateWork(name, String(revision))] }
}

function changed(
  before: CertificateDocument,
  spec: CertificateSpec,
  chosen: readonly string[],
  context: RequestContext,
  now: string,
): CertificateDocument {
  const { name } = before
  const generation = before.generation + 1
  const { places, work } = retarget(name, before, chosen)
  const event = certificateEvent(name, 'certificate.changed', {
    id: String(generation),
    time: now,
    actor: actorOf(context.caller),
    reason: 'Changed',
    message: `Certificate ${name} was changed.`,
    data: { generation, dnsNames: spec.dnsNames, clusters: chosen },
  })
  const outbox = [...before.outbox, event, ...work, rotateWork(name, `put.${generation}`)]
  return { ...before, ...places, spec, generation, idempotency: [], outbox, dueAt: now, updatedAt: now }
}

function warningsOf({ issuer, validityMonths, delivery }: CertificateSpec): readonly string[] {
  const warnings: string[] = []
  if (validityMonths !== undefined && (issuer.kind === 'external' || issuer.kind === 'imported')) {
    warnings.push('validityMonths says nothing here: who signs the certificate decides how long it is valid.')
  }
  if (delivery === 'csi') {
    warnings.push('The identity of the CSI driver needs the role Key Vault Secrets User on the vault.')
  }
  return warnings
}
