import type { ClusterWorkDeps } from './handle-work.ts'
import type { HttpDeps } from './http/http-deps.ts'
import type { Logger } from './ports/logger.ts'

/**
 * What an HTTP call may have done on clusters at once. It never fails the call: the queue has the same work. An app
 * without the role `work` leaves it to the queue, for its identity may have no rights on clusters.
 */
export function carriers(
  work: ClusterWorkDeps,
  logger: Logger,
  writesClusters: boolean,
): Pick<HttpDeps, 'carryOut' | 'advance' | 'plan' | 'rotate'> {
  return {
    async carryOut(service, cluster, session) {
      if (!writesClusters) return
      const { reconcileObserved } = await import('./reconcile-observed.ts')
      await reconcileObserved(work, { service, cluster, ...(session === undefined ? {} : { session }) }).catch(
        (error: unknown) => logger.log('warn', 'reconcile.in-call-failed', { service, cluster, error: String(error) }),
      )
    },
    async advance(service, session) {
      if (!writesClusters) return
      const { advanceRollouts } = await import('./rollouts/advance-rollouts.ts')
      await advanceRollouts(work, service, session).catch((error: unknown) =>
        logger.log('warn', 'advance.in-call-failed', { service, error: String(error) }),
      )
    },
    async plan(service, cluster, options) {
      const { planPlacement } = await import('./reconcile/plan.ts')
      return planPlacement(work, service, cluster, options)
    },
    async rotate(name, note, context) {
      if ((await work.store.read('mesh-ca', name)) !== undefined) {
        const { rotateCaForPerson } = await import('./mesh-ca/rotate-ca.ts')
        return rotateCaForPerson(work, name, note, context)
      }
      const { rotateForPerson } = await import('./certificates/rotate-certificate.ts')
      return rotateForPerson(work, name, note, context)
    },
  }
}
