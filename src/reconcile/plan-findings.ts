import type { Provider } from '../mesh/provider.ts'
import type { KubeObject } from '../model/kube.ts'
import type { PlannedService, Situation } from './situation.ts'
import type { CandidatePlan } from './workloads/plan-candidate.ts'
import type { WorkloadProblem } from './workloads/workloads.ts'

/** Something that a plan found: `error` would not work, `warning` may not do what is meant. */
export interface PlanFinding {
  readonly code: string
  readonly severity: 'error' | 'warning'
  /** For example `Service shop/web`. */
  readonly object?: string
  /** JSON pointer into the service body. */
  readonly field?: string
  readonly message: string
  readonly fix: string
}

interface KubeServiceSpec {
  readonly ports?: readonly { readonly port?: number }[]
  readonly selector?: Readonly<Record<string, string>>
}

/** Is there a Kubernetes Service that has the ports and can select the Pods of each version? */
export function checkKubeService(
  service: PlannedService,
  namespace: KubeObject | undefined,
  found: KubeObject | undefined,
): readonly PlanFinding[] {
  const object = `Service ${service.namespace}/${service.name}`
  if (!namespace) {
    const message = `There is no namespace ${service.namespace} on the cluster.`
    return [{ code: 'NamespaceMissing', severity: 'error', message, fix: 'Create the namespace first.' }]
  }
  if (!found) {
    const message = `There is no Kubernetes Service ${service.namespace}/${service.name}.`
    return [{ code: 'ServiceMissing', severity: 'error', object, message, fix: 'Deploy the Service first.' }]
  }
  const { ports = [], selector = {} } = (found.spec ?? {}) as KubeServiceSpec
  return [...missingPorts(service, object, ports), ...excludedVersions(service, object, selector)]
}

function missingPorts(
  service: PlannedService,
  object: string,
  ports: NonNullable<KubeServiceSpec['ports']>,
): readonly PlanFinding[] {
  return service.spec.ports.flatMap(({ port }, index): readonly PlanFinding[] => {
    if (ports.some((own) => own.port === port)) return []
    const has = ports.map((own) => own.port).join(', ') || 'none'
    const message = `${object} has no port ${port}; it has ${has}.`
    const fix = 'Name a port of the Service, or add it there.'
    return [{ code: 'PortMissing', severity: 'error', object, field: `/ports/${index}/port`, message, fix }]
  })
}

function excludedVersions(
  service: PlannedService,
  object: string,
  selector: Readonly<Record<string, string>>,
): readonly PlanFinding[] {
  return Object.entries(service.spec.versions).flatMap(([version, { labels }]): readonly PlanFinding[] => {
    const against = Object.entries(selector).find(([key, value]) => labels[key] !== undefined && labels[key] !== value)
    if (!against) return []
    const message = `${object} selects ${against[0]}=${against[1]}, so it never has endpoints of version ${version}.`
    const fix = `Take ${against[0]} out of the Service's selector.`
    return [{ code: 'SelectorExcludes', severity: 'error', object, field: `/versions/${version}/labels`, message, fix }]
  })
}

/** Can the candidate's Deployment be made, and what should people know of it? */
export function checkCandidate(candidate: CandidatePlan | undefined): readonly PlanFinding[] {
  const finding = (severity: PlanFinding['severity']) => {
    return ({ reason, message, fix }: WorkloadProblem): PlanFinding => ({ code: reason, severity, message, fix })
  }
  if (!candidate) return []
  return [
    ...(candidate.refusal ? [finding('error')(candidate.refusal)] : []),
    ...candidate.warnings.map(finding('warning')),
  ]
}

/** Does the maker of the mesh end it? */
export function checkMesh({ name, retires }: Pick<Provider, 'name' | 'retires'>): readonly PlanFinding[] {
  if (!retires) return []
  const message = `The maker of ${name} ends it on ${retires.on}.`
  return [{ code: 'MeshRetires', severity: 'warning', message, fix: retires.wayOut }]
}

/** Has each version of the route endpoints, and can a Pod be of one version only? */
export function checkVersions({ service, weights, observed }: Situation): readonly PlanFinding[] {
  const versions = Object.entries(service.spec.versions).sort(([a], [b]) => (a < b ? -1 : 1))
  const overlaps = versions.flatMap(([name, { labels }], index) =>
    versions.slice(index + 1).flatMap(([other, { labels: others }]): readonly PlanFinding[] => {
      if (Object.entries(labels).some(([key, value]) => others[key] !== undefined && others[key] !== value)) return []
      const message = `A Pod may bear the labels of both ${name} and ${other}, and would get requests of both.`
      const fix = 'Give both versions the same label key with different values.'
      return [{ code: 'SelectorOverlap', severity: 'warning', field: `/versions/${other}/labels`, message, fix }]
    }),
  )
  const empty = Object.keys(weights)
    .sort()
    .filter((version) => (observed.versions[version]?.ready ?? 0) < 1)
    .map((version): PlanFinding => {
      const message = `Version ${version} has no ready endpoint; it gets no requests before it has.`
      const fix = 'Deploy Pods with its labels, or wait until they are ready.'
      return {
        code: 'VersionWithoutEndpoints',
        severity: 'warning',
        field: `/versions/${version}/labels`,
        message,
        fix,
      }
    })
  return [...overlaps, ...empty]
}
