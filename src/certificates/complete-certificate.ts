import type { X509Certificate } from 'node:crypto'
import { auditEntry } from '../model/audit-entry.ts'
import { serialText } from '../model/certificate.ts'
import type { CertificateDocument } from '../model/documents.ts'
import { type Failure, fail, type Result, succeed } from '../model/failure.ts'
import { timestamp } from '../model/names.ts'
import type { RequestContext } from '../model/request.ts'
import type { Rotation } from '../model/rotation.ts'
import { type Change, changeDocument } from '../ports/change-document.ts'
import type { VaultVersion } from '../ports/vault.ts'
import { publicKeyOfRequest } from './certificate-request.ts'
import { rotateWork } from './certificate-work.ts'
import { checkCandidate } from './check-candidate.ts'
import type { CertificateDeps } from './deps.ts'
import { servedVersions } from './found-version.ts'
import { chainRefusal, readChain } from './pem-chain.ts'

/**
 * Takes what an external CA made of the CSR: a chain in PEM, leaf first. It is checked here, against the CSR's key and all
 * that a version must be, and stored; the worker hands it to the vault. The same chain again changes nothing.
 */
export async function completeCertificate(
  deps: Pick<CertificateDeps, 'store' | 'clock'>,
  name: string,
  pem: string,
  context: RequestContext,
): Promise<Result<CertificateDocument>> {
  const changed = await changeDocument(
    deps.store,
    'certificate',
    name,
    async (stored): Promise<Result<Change<CertificateDocument, undefined>>> => {
      const before = stored?.value
      if (!before) return fail('NotFound', `There is no certificate ${name}.`)
      const { rotation } = before
      if (before.deletingAt || rotation?.phase !== 'awaiting-issuer') {
        return fail('Conflict', `Certificate ${name} does not wait for a CA.`, {
          hint: 'GET the certificate: it waits while phase is awaiting-issuer, and shows the CSR then.',
        })
      }
      const chain = readChain(pem)
      if (!chain.ok) return refused(chain.why)
      const failure = await check(deps, before, rotation, chain.value)
      if (failure) return { ok: false, failure }
      const text = chain.value.map((one) => one.toString()).join('')
      if (rotation.chain === text) return succeed({ kind: 'leave', value: undefined })
      const document = withChain(before, rotation, text, context, deps.clock.now())
      return succeed({ kind: 'write', document, value: undefined })
    },
  )
  if (!changed.ok) return changed
  const document = changed.value.stored?.value
  return document ? succeed(document) : fail('NotFound', `There is no certificate ${name}.`)
}

async function check(
  deps: Pick<CertificateDeps, 'store' | 'clock'>,
  document: CertificateDocument,
  rotation: Rotation,
  chain: readonly X509Certificate[],
): Promise<Failure | undefined> {
  const [leaf] = chain
  if (!leaf) return undefined
  const key = publicKeyOfRequest(rotation.csr ?? '')
  if (!key?.equals(leaf.publicKey.export({ type: 'spki', format: 'der' }))) {
    return refused('was not made of the CSR that is shown: its first certificate has another key').failure
  }
  const now = deps.clock.now()
  const broken = chainRefusal(chain, now)
  if (broken) return refused(broken.message).failure
  const { spec } = document
  const team = spec.team === undefined ? undefined : await deps.store.read('team', spec.team)
  const teamHosts = team ? { teamHosts: team.value.spec.hosts ?? [] } : {}
  const served = servedVersions(document)
  const unfit = checkCandidate({ spec, version: asVersion(leaf), served, now, ...teamHosts })
  return unfit && refused(unfit.message).failure
}

function refused(reason: string): ReturnType<typeof fail> {
  return fail('InvalidCombination', 'The chain cannot be taken.', { errors: [{ pointer: '/chain', reason }] })
}

function withChain(
  before: CertificateDocument,
  rotation: Rotation,
  chain: string,
  context: RequestContext,
  now: number,
): CertificateDocument {
  const time = timestamp(now)
  const message = 'The chain that the CA signed is handed to the vault.'
  const audit = auditEntry({
    action: 'certificate.complete',
    subject: `certificates/${before.name}`,
    unique: `${rotation.id}.${time}`,
    time,
    context,
    after: { rotation: rotation.id, chain },
  })
  const work = rotateWork(before.name, `complete.${time}`)
  const { askedUntil: _askedUntil, ...waiting } = rotation
  return {
    ...before,
    rotation: { ...waiting, chain, reason: 'Merging', message },
    outbox: [...before.outbox, audit, work],
    dueAt: time,
    updatedAt: time,
  }
}

/** The leaf in the form in which vaults tell of versions. */
function asVersion(leaf: X509Certificate): VaultVersion {
  const names = [...(leaf.subjectAltName ?? '').matchAll(/DNS:([^,\s]+)/g)]
  return {
    version: '',
    serial: serialText(leaf.serialNumber),
    fingerprint: leaf.fingerprint256.replaceAll(':', '').toLowerCase(),
    notBefore: timestamp(Date.parse(leaf.validFrom)),
    notAfter: timestamp(Date.parse(leaf.validTo)),
    dnsNames: names.map(([, name = '']) => name),
    issuer: leaf.issuer,
    enabled: true,
    pem: leaf.toString(),
    createdAt: timestamp(Date.parse(leaf.validFrom)),
    tags: {},
  }
}
