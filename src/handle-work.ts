import { advanceAndReconcile, reconcileAndAdvance } from './carry-on.ts'
import { advanceCertificate } from './certificates/advance-certificate.ts'
import { selectCertificateClusters } from './certificates/select-clusters.ts'
import { type CommandDeps, carryOutCommand } from './chat/carry-out-command.ts'
import { type NotifyDeps, sendNotification } from './chat/notify.ts'
import { finishDelete } from './clusters/finish-delete.ts'
import { type ProbeDeps, probeCluster } from './clusters/probe-cluster.ts'
import type { Witness } from './log/witness.ts'
import { advanceCa } from './mesh-ca/advance-ca.ts'
import type { MeshCaDeps } from './mesh-ca/deps.ts'
import type { DocumentKind } from './model/documents.ts'
import type { Failure, Result } from './model/failure.ts'
import type { WorkMessage } from './model/outbox.ts'
import { advanceSpread, scanPolicies } from './policies/advance-spread.ts'
import { type DeliveryDeps, deliverCertificate } from './reconcile/certificates/deliver-certificate.ts'
import type { ReconcileDeps } from './reconcile/reconcile-placement.ts'
import { restartWorkloads } from './reconcile/restarts/restart-workloads.ts'
import { resyncCluster } from './reconcile/resync-cluster.ts'
import { lookAtTrust, type TrustDeps } from './reconcile/trust/look-at-trust.ts'
import type { AdvanceDeps } from './rollouts/advance-rollouts.ts'
import { askHostsOn } from './services/hosts/ask-hosts.ts'
import { settleHost } from './services/hosts/settle-host.ts'
import { selectClusters } from './services/select-clusters.ts'
import { advanceWords } from './services/words/advance-words.ts'
import { lookAtPlace } from './watch/look-at-place.ts'

/** What work on clusters needs. */
export type ClusterWorkDeps = ProbeDeps & ReconcileDeps & AdvanceDeps & Witness
export type WorkDeps = ClusterWorkDeps & DeliveryDeps & TrustDeps & MeshCaDeps & NotifyDeps & CommandDeps

/** A worker could not finish for a reason that another try may not have. The queue hands the message out again. */
export class WorkFailedError extends Error {
  override readonly name = 'WorkFailedError'
  readonly failure: Failure

  constructor(failure: Failure) {
    super(failure.detail)
    this.failure = failure
  }
}

/**
 * Does what a message asks. Idempotent: the document that is read decides, not the message. Expected trouble of a cluster
 * or of metrics is stored by the use case with a time for the next attempt; only a store that does not answer, or lost
 * races, throw (PortError, WorkFailedError) so that the queue tries again.
 */
export async function handleWork(deps: WorkDeps, message: WorkMessage): Promise<void> {
  switch (message.kind) {
    case 'reconcile':
      return done(await reconcileAndAdvance(deps, message))
    case 'advance':
      return done(await advanceAndReconcile(deps, message.service, message.session))
    case 'probe':
      done(await probeCluster(deps, message.cluster, message))
      return finishDelete(deps, message.cluster)
    case 'resync':
      await resyncCluster(deps, message.cluster, message.session === undefined ? {} : { session: message.session })
      return
    case 'select':
      done(await selectClusters(deps))
      done(await selectCertificateClusters(deps))
      done(await scanPolicies(deps))
      if (message.gateways) await askHostsOn(deps, message.cluster)
      return finishDelete(deps, message.cluster)
    case 'spread':
      return done(await advanceSpread(deps, message.policy, message.session))
    case 'wave':
      return done(await advanceWords(deps, message.service, message.session))
    case 'command': {
      const session = message.session === undefined ? {} : { session: message.session }
      await carryOutCommand(deps, message.command, { isLate: () => true, ...session })
      return
    }
    case 'notify':
      return done(await sendNotification(deps, message.notification, message.session))
    case 'host':
      return done(await settleHost(deps, message))
    case 'deliver':
      return deliverCertificate(deps, message)
    case 'trust':
      await lookAtTrust(deps, message)
      return restartWorkloads(deps, message)
    case 'watch':
      return done(await lookAtPlace(deps, message.found, message.session))
    case 'rotate':
      return done(await advanceCertificate(deps, message.certificate, message.session))
    case 'rotate-ca':
      return done(await advanceCa(deps, message.ca, message.session))
    case 'relay':
      return deps.store.relay(message.document.kind as DocumentKind, message.document.key)
  }
}

/** What is gone needs no work any more; a lost race is tried again. */
function done(result: Result<unknown>): void {
  if (!result.ok && result.failure.code !== 'NotFound') throw new WorkFailedError(result.failure)
}
