import { certificateEvent } from '../model/certificate-event.ts'
import { type CertificateDocument, keyOf } from '../model/documents.ts'
import { fail, type Result, succeed } from '../model/failure.ts'
import type { HostKey } from '../model/host.ts'
import { actorOf } from '../model/identity.ts'
import { timestamp } from '../model/names.ts'
import type { RequestContext } from '../model/request.ts'
import { type Change, changeDocument } from '../ports/change-document.ts'
import { removalEntry } from '../ports/delete-document.ts'
import { checkPreconditions } from '../ports/put-document.ts'
import type { Store } from '../ports/store.ts'
import { rotateWork } from './certificate-work.ts'
import type { CertificateDeps } from './deps.ts'
import { retarget } from './retarget.ts'

/**
 * Starts to remove a certificate: what we wrote is taken from every cluster, a version that is being made is ended, then the
 * document goes. What is in the vault stays. `removed` says that nothing was left to do.
 */
export async function deleteCertificate(
  deps: Pick<CertificateDeps, 'store' | 'clock'>,
  name: string,
  context: RequestContext,
): Promise<Result<{ readonly removed: boolean }>> {
  const changed = await changeDocument(
    deps.store,
    'certificate',
    name,
    async (stored): Promise<Result<Change<CertificateDocument, { removed: boolean }>>> => {
      const before = stored?.value
      if (!before) return fail('NotFound', `There is no certificate ${name}.`)
      const failed = checkPreconditions(name, before.spec, context)
      if (failed) return { ok: false, failure: failed }
      if (before.deletingAt) return succeed({ kind: 'leave', value: { removed: false } })
      const [host] = await hostsServedWith(deps.store, name)
      if (host !== undefined) {
        const detail = `Certificate ${name} serves host ${host}.`
        return fail('InUse', detail, { hint: 'Change or remove the exposure of the services there first.' })
      }
      const now = timestamp(deps.clock.now())
      const audit = removalEntry('certificate', name, before, context, now)
      const { places, work } = retarget(name, before, [])
      const making = before.rotation?.phase === 'creating' || before.rotation?.phase === 'awaiting-issuer'
      if (places.leaving.length === 0 && !making) {
        return succeed({ kind: 'remove', value: { removed: true }, last: [audit] })
      }
      const event = certificateEvent(name, 'certificate.deleting', {
        id: now,
        time: now,
        actor: actorOf(context.caller),
        reason: 'Deleting',
        message: `Certificate ${name} is being removed from ${places.leaving.join(', ') || 'no cluster'}.`,
      })
      const outbox = [...before.outbox, event, audit, ...work, rotateWork(name, `delete.${now}`)]
      const document = { ...before, ...places, deletingAt: now, dueAt: now, updatedAt: now, outbox }
      return succeed({ kind: 'write', document, value: { removed: false } })
    },
  )
  return changed.ok ? succeed(changed.value.value) : changed
}

/** Hosts that are served with a certificate, or are about to be. */
async function hostsServedWith(store: Store, certificate: string): Promise<readonly HostKey[]> {
  const hosts = await store.all('host')
  return hosts
    .filter(({ holders }) =>
      Object.values(holders).some(({ paths, reserved }) =>
        [...paths, ...(reserved?.paths ?? [])].some((path) => path.certificate === certificate),
      ),
    )
    .map(keyOf)
}
