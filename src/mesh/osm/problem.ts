import { type Failure, fail } from '../../model/failure.ts'
import type { RenderInput } from '../provider.ts'

interface Problem {
  readonly pointer: string
  readonly reason: string
}

/** What of a service Open Service Mesh could only do in part, beyond what the capabilities tell by the field alone. */
export function osmProblem(input: RenderInput): Failure | undefined {
  const errors = [
    ...authorizationProblems(input),
    ...accountProblems(input),
    ...rateProblems(input),
    ...egressProblems(input),
    ...candidateProblems(input),
  ]
  const first = errors[0]
  if (!first) return undefined
  const detail = `Open Service Mesh cannot take the service as it is: ${first.pointer} ${first.reason}.`
  return fail('UnsupportedFeature', detail, { errors, hint: 'docs/clusters.md says what Open Service Mesh takes.' })
    .failure
}

const PERMISSIVE = {
  on: 'is not looked at: the permissive traffic policy mode of the mesh is on',
  unknown:
    'may not be looked at: whether the permissive traffic policy mode of the mesh is on was not to be seen. Give the right to list meshconfigs',
} as const

function authorizationProblems({ spec, policy, mesh }: RenderInput): readonly Problem[] {
  const { allow } = policy.security?.authorization ?? {}
  if (!allow) return []
  const pointer = '/security/authorization/allow'
  const tcp = spec.ports.some(({ protocol }) => protocol === 'tcp')
  return [
    ...(mesh.permissive === false ? [] : [{ pointer, reason: PERMISSIVE[mesh.permissive ? 'on' : 'unknown'] }]),
    ...(tcp ? [{ pointer, reason: 'is by HTTP requests, and a port of the service is TCP' }] : []),
    ...allow.flatMap((rule, index) =>
      rule.serviceAccounts
        ? []
        : [{ pointer: `${pointer}/${index}`, reason: 'must name serviceAccounts: the mesh lets nobody in without' }],
    ),
  ]
}

/** The mesh knows Pods by their service account alone. */
function accountProblems({ spec, policy }: RenderInput): readonly Problem[] {
  const asked = policy.security?.authorization?.allow !== undefined || (policy.egress?.hosts ?? []).length > 0
  if (!asked) return []
  return Object.entries(spec.versions)
    .filter(([, { serviceAccount }]) => serviceAccount === undefined)
    .map(([version]) => ({
      pointer: `/versions/${version}/serviceAccount`,
      reason: 'is needed for authorization and egress: the mesh knows Pods by it',
    }))
}

function rateProblems({ spec, policy }: RenderInput): readonly Problem[] {
  const { rateLimit } = policy.traffic ?? {}
  if (!rateLimit) return []
  const { requests, burst = requests } = rateLimit
  const [port, ...others] = spec.ports
  return [
    ...(burst < requests ? [{ pointer: '/traffic/rateLimit/burst', reason: 'cannot be below requests' }] : []),
    ...(others.length > 0 || port?.protocol === 'tcp'
      ? [
          {
            pointer: '/traffic/rateLimit',
            reason: 'is counted by port, and by HTTP requests: the service must have one such port',
          },
        ]
      : []),
  ]
}

const EGRESS_PROTOCOLS: readonly string[] = ['http', 'https']

/** Of a name in Kubernetes; ours is made of the service's and the host's. */
const LONGEST_NAME = 253

function egressProblems({ name, policy }: RenderInput): readonly Problem[] {
  return (policy.egress?.hosts ?? []).flatMap(({ host, ports }, index) => {
    const pointer = `/egress/hosts/${index}`
    const tooLong = name.length + 1 + host.length > LONGEST_NAME
    return [
      ...(host.startsWith('*') ? [{ pointer: `${pointer}/host`, reason: 'must be one host' }] : []),
      ...(tooLong ? [{ pointer: `${pointer}/host`, reason: 'is too long beside the name of the service' }] : []),
      ...ports.flatMap(({ protocol }, at) =>
        EGRESS_PROTOCOLS.includes(protocol)
          ? []
          : [
              {
                pointer: `${pointer}/ports/${at}/protocol`,
                reason: 'must be http or https: others have no host to go by',
              },
            ],
      ),
    ]
  })
}

function candidateProblems({ candidate }: RenderInput): readonly Problem[] {
  return (['match', 'mirror', 'affinity'] as const)
    .filter((part) => candidate?.[part] !== undefined)
    .map((part) => ({ pointer: `/${part}`, reason: 'is beyond Open Service Mesh, which splits by weight alone' }))
}
