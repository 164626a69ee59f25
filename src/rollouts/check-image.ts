import type { ServiceDocument } from '../model/documents.ts'
import { fail, type Result, succeed } from '../model/failure.ts'
import type { Rollout } from '../model/rollout.ts'
import type { Plan } from '../reconcile/plan.ts'

/** What carrying out a service as given on one cluster would do; nothing is kept. */
export type PlanOn = (service: ServiceDocument, cluster: string) => Promise<Plan>

/**
 * Can the candidate's Deployment be made on each cluster of a rollout by `image`? The clusters say so themselves, by a dry
 * run of the service with the rollout in it. Returns what its caller should know; a cluster that does not answer is no
 * failure: it is asked again when the rollout gets there.
 */
export async function checkImage(
  plan: PlanOn,
  service: ServiceDocument,
  rollout: Pick<Rollout, 'image' | 'targets' | 'candidate'>,
): Promise<Result<readonly string[]>> {
  if (!rollout.image) return succeed([])
  const plans = await Promise.all(rollout.targets.map(({ cluster }) => plan(service, cluster)))
  const errors = plans.flatMap(({ cluster, findings }) =>
    findings
      .filter((finding) => finding.severity === 'error' && concerns(finding, rollout.candidate))
      .map(({ code, message, fix }) => ({
        pointer: '/candidate/image',
        reason: `${code} on ${cluster}: ${message} ${fix}`,
      })),
  )
  if (errors.length > 0) {
    return fail(
      'ImageRefused',
      `${rollout.candidate} cannot be made: ${errors.map(({ reason }) => reason).join(' ')}`,
      {
        errors,
      },
    )
  }
  return succeed(plans.flatMap(warningsOf))
}

/** Other versions and ports of the service are not what this is about, nor is that a cluster could not be asked. */
function concerns({ code, field }: Plan['findings'][number], candidate: string): boolean {
  if (code === 'NotPlanned') return false
  return field === undefined || field.startsWith(`/versions/${candidate}/`)
}

/** Codes of warnings about the Deployment that is copied. */
const TOLD = ['StableAutoscaled', 'AutoscalersNotSeen', 'InstalledByHelm']

function warningsOf({ cluster, blocked, changes, findings }: Plan): readonly string[] {
  if (blocked && changes.length === 0)
    return [`${cluster}: whether the candidate can be made is not known yet: ${blocked.message}`]
  return findings.filter(({ code }) => TOLD.includes(code)).map(({ message }) => `${cluster}: ${message}`)
}
