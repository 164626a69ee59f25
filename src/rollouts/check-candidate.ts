import { matchesLabels } from '../model/active-freezes.ts'
import { canonicalJson } from '../model/digest.ts'
import type { ServiceDocument } from '../model/documents.ts'
import { fail, type Result, succeed } from '../model/failure.ts'
import type { RolloutRequest } from '../model/rollout.ts'
import { MOST_VERSIONS, type ServiceSpec, type VersionSpec } from '../model/service.ts'
import { imageVersion } from './image-version.ts'
import { makeRoom } from './make-room.ts'

export interface CheckedCandidate {
  readonly name: string
  /** The spec, with the candidate among its versions. */
  readonly spec: ServiceSpec
  /** Retired versions that made room for it. */
  readonly dropped: readonly string[]
}

/** The version that the request names or brings along. Its labels must not catch the pods of a stable version, nor the reverse. */
export function checkCandidate(
  service: ServiceDocument,
  request: RolloutRequest,
  stables: readonly string[],
): Result<CheckedCandidate> {
  const { spec } = service
  const known = typeof request.candidate === 'string' ? request.candidate : request.candidate.name
  if (typeof request.candidate === 'string' && !Object.hasOwn(spec.versions, known)) {
    const reason = `is no version of the service; known: ${Object.keys(spec.versions).join(', ')}`
    return fail('UnknownReference', `Service ${service.namespace}/${service.name} has no version ${known}.`, {
      errors: [{ pointer: '/candidate', reason }],
      hint: 'Add the version to the service, or send the candidate as { "name", "labels" }.',
    })
  }
  const grown = withCandidate(service, request.candidate, stables)
  if (!grown.ok) return grown
  const isImage = typeof request.candidate !== 'string' && 'image' in request.candidate
  const { versions, dropped } = isImage
    ? makeRoom(service, grown.value, known, stables)
    : { versions: grown.value, dropped: [] }
  const candidate = versions[known]?.labels ?? {}
  const count = Object.keys(versions).length
  if (count > MOST_VERSIONS) {
    return fail('InvalidCombination', `Service ${service.namespace}/${service.name} would have ${count} versions.`, {
      errors: [
        { pointer: '/candidate', reason: `is one more than the ${MOST_VERSIONS} versions that a service may have` },
      ],
      hint: 'PUT the service without a version that it no longer needs.',
    })
  }
  const overlapping = stables.find((stable) => stable !== known && overlaps(versions[stable]?.labels ?? {}, candidate))
  if (overlapping) {
    return fail('InvalidCombination', `The labels of ${known} and ${overlapping} choose the same pods.`, {
      errors: [{ pointer: '/candidate', reason: `its labels overlap with those of stable version ${overlapping}` }],
      hint: 'Give each version a label with a value of its own, such as "version".',
    })
  }
  return succeed({ name: known, spec: { ...spec, versions }, dropped })
}

function withCandidate(
  service: ServiceDocument,
  candidate: RolloutRequest['candidate'],
  stables: readonly string[],
): Result<ServiceSpec['versions']> {
  const { versions } = service.spec
  if (typeof candidate === 'string') return succeed(versions)
  const { name } = candidate
  const version = versionOf(service, candidate, stables)
  if (!version.ok) return version
  const known = versions[name]
  if (!known) return succeed({ ...versions, [name]: version.value })
  if (canonicalJson(known) === canonicalJson(version.value)) return succeed(versions)
  const isImage = 'image' in candidate
  const reason = isImage
    ? 'is a version that was not made from an image, or from another stable'
    : 'is a version with other labels'
  return fail('InvalidCombination', `Version ${name} exists with other labels${isImage ? ' or workload' : ''}.`, {
    errors: [{ pointer: isImage ? '/candidate/name' : '/candidate/labels', reason }],
    hint: 'Choose another name, or roll out the version as it is: "candidate": "NAME".',
  })
}

function versionOf(
  service: ServiceDocument,
  candidate: Exclude<RolloutRequest['candidate'], string>,
  stables: readonly string[],
): Result<VersionSpec> {
  if ('image' in candidate) return imageVersion(service, candidate.name, stables)
  const { name: _, ...version } = candidate
  return succeed(version)
}

/** Would every pod of one also be a pod of the other? */
function overlaps(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  return matchesLabels(a, b) || matchesLabels(b, a)
}
