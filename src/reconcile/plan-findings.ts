import { type Finding, finding } from '../mesh/lint/finding.ts'
import type { Provider } from '../mesh/provider.ts'
import type { KubeObject } from '../model/kube.ts'
import type { PlannedService, Situation } from './situation.ts'
import type { CandidatePlan } from './workloads/plan-candidate.ts'
import type { WorkloadProblem } from './workloads/workloads.ts'

interface KubeServiceSpec {
  readonly ports?: readonly { readonly port?: number }[]
  readonly selector?: Readonly<Record<string, string>>
}

/** Is there a Kubernetes Service that has the ports and can select the Pods of each version? */
export function checkKubeService(
  service: PlannedService,
  namespace: KubeObject | undefined,
  found: KubeObject | undefined,
): readonly Finding[] {
  const object = `Service ${service.namespace}/${service.name}`
  if (!namespace) {
    const message = `There is no namespace ${service.namespace} on the cluster.`
    return [finding('NamespaceMissing', message)]
  }
  if (!found) {
    const message = `There is no Kubernetes Service ${service.namespace}/${service.name}.`
    return [finding('ServiceMissing', message, { object })]
  }
  const { ports = [], selector = {} } = (found.spec ?? {}) as KubeServiceSpec
  return [...missingPorts(service, object, ports), ...excludedVersions(service, object, selector)]
}

function missingPorts(
  service: PlannedService,
  object: string,
  ports: NonNullable<KubeServiceSpec['ports']>,
): readonly Finding[] {
  return service.spec.ports.flatMap(({ port }, index): readonly Finding[] => {
    if (ports.some((own) => own.port === port)) return []
    const has = ports.map((own) => own.port).join(', ') || 'none'
    const message = `${object} has no port ${port}; it has ${has}.`
    return [finding('PortMissing', message, { object, field: `/ports/${index}/port` })]
  })
}

function excludedVersions(
  service: PlannedService,
  object: string,
  selector: Readonly<Record<string, string>>,
): readonly Finding[] {
  return Object.entries(service.spec.versions).flatMap(([version, { labels }]): readonly Finding[] => {
    const against = Object.entries(selector).find(([key, value]) => labels[key] !== undefined && labels[key] !== value)
    if (!against) return []
    const message = `${object} selects ${against[0]}=${against[1]}, so it never has endpoints of version ${version}.`
    const fix = `Take ${against[0]} out of the Service's selector.`
    return [finding('SelectorExcludes', message, { object, field: `/versions/${version}/labels`, fix })]
  })
}

/** Can the candidate's Deployment be made, and what should people know of it? */
export function checkCandidate(candidate: CandidatePlan | undefined): readonly Finding[] {
  const problem = (severity: Finding['severity']) => {
    return ({ reason, message, fix }: WorkloadProblem): Finding => ({ code: reason, severity, message, fix })
  }
  if (!candidate) return []
  return [
    ...(candidate.refusal ? [problem('error')(candidate.refusal)] : []),
    ...candidate.warnings.map(problem('warning')),
  ]
}

/** Does the maker of the mesh end it? */
export function checkMesh({ name, retires }: Pick<Provider, 'name' | 'retires'>): readonly Finding[] {
  if (!retires) return []
  const message = `The maker of ${name} ends it on ${retires.on}.`
  return [finding('MeshRetires', message, { fix: retires.wayOut })]
}

/** Has each version of the route endpoints, and can a Pod be of one version only? */
export function checkVersions({ service, weights, observed }: Situation): readonly Finding[] {
  const versions = Object.entries(service.spec.versions).sort(([a], [b]) => (a < b ? -1 : 1))
  const overlaps = versions.flatMap(([name, { labels }], index) =>
    versions.slice(index + 1).flatMap(([other, { labels: others }]): readonly Finding[] => {
      if (Object.entries(labels).some(([key, value]) => others[key] !== undefined && others[key] !== value)) return []
      const message = `A Pod may bear the labels of both ${name} and ${other}, and would get requests of both.`
      return [finding('SelectorOverlap', message, { field: `/versions/${other}/labels` })]
    }),
  )
  const empty = Object.keys(weights)
    .sort()
    .filter((version) => (observed.versions[version]?.ready ?? 0) < 1)
    .map((version) => {
      const message = `Version ${version} has no ready endpoint; it gets no requests before it has.`
      return finding('VersionWithoutEndpoints', message, { field: `/versions/${version}/labels` })
    })
  return [...overlaps, ...empty]
}
