import { canonicalJson } from '../model/digest.ts'
import type { ServiceDocument } from '../model/documents.ts'
import { fail, type Result, succeed } from '../model/failure.ts'
import { dnsLabel } from '../model/names.ts'
import type { VersionSpec } from '../model/service.ts'

/** Labels by which Pods of versions are told apart, by metrics too; the first that stable has. */
const VERSION_LABELS = ['version', 'app.kubernetes.io/version']

/**
 * The version that a Deployment made from an image will be: known by stable's labels with the name in the version label, in
 * a Deployment `SERVICE-NAME`. `stables` are the stable versions of the rollout's clusters.
 */
export function imageVersion(service: ServiceDocument, name: string, stables: readonly string[]): Result<VersionSpec> {
  const workload = `${service.name}-${name}`
  if (!dnsLabel.safeParse(workload).success) {
    return fail('InvalidCombination', `Deployment ${workload} would have a name of more than 63 characters.`, {
      errors: [{ pointer: '/candidate/name', reason: 'is too long beside the name of the service' }],
      hint: 'Choose a shorter name.',
    })
  }
  const all = stables.map((stable) => labelsBeside(service.spec.versions[stable]?.labels ?? {}, name))
  const [labels = {}, ...others] = all
  if (others.some((other) => canonicalJson(other) !== canonicalJson(labels))) {
    return fail(
      'InvalidCombination',
      `The stable versions ${stables.join(', ')} differ in more than a version label.`,
      {
        errors: [{ pointer: '/clusters', reason: 'run stable versions from which one version cannot be made' }],
        hint: 'Start a rollout for the clusters of each stable version.',
      },
    )
  }
  return succeed({ labels, workload })
}

function labelsBeside(stable: VersionSpec['labels'], name: string): VersionSpec['labels'] {
  const key = VERSION_LABELS.find((label) => Object.hasOwn(stable, label)) ?? 'version'
  return { ...stable, [key]: name }
}
