import type { KubeObject } from '../../../model/kube.ts'
import type { VersionSpec } from '../../../model/service.ts'
import type { Finding } from '../../lint/finding.ts'
import { bears, type OsmObjects, specOf, type TrafficSplitSpec } from './objects.ts'
import { found } from './rules.ts'
import { accountsOf, type MeshPort, type MeshService, objectOf } from './services.ts'

/** A TrafficSplit that is in force, with the Services that it names and that are there. */
export interface Split {
  /** `TrafficSplit bookstore/bookstore-split` */
  readonly object: string
  readonly root: MeshService
  readonly backends: readonly { readonly service: MeshService; readonly weight: number }[]
}

/** The TrafficSplits in force, by their roots. */
export function readSplits(
  objects: OsmObjects,
  services: ReadonlyMap<string, MeshService>,
): { splits: ReadonlyMap<string, Split>; findings: readonly Finding[] } {
  const splits = new Map<string, Split>()
  const findings: Finding[] = []
  for (const object of objects.trafficSplits) {
    const { namespace, name } = object.metadata
    const label = `TrafficSplit ${namespace}/${name}`
    const { service = '' } = specOf<TrafficSplitSpec>(object)
    const root = services.get(`${namespace}/${service.split('.')[0]}`)
    const key = root && `${root.namespace}/${root.name}`
    if (!root || key === undefined) {
      findings.push(
        found('SplitWithoutRoot', label, `${label} is for Service ${service}, which has no Pods by selector.`),
      )
      continue
    }
    if (splits.has(key)) {
      findings.push(found('SplitTwice', label, `${splits.get(key)?.object} is for ${key} too.`))
      continue
    }
    const read = backendsOf(object, label, services)
    findings.push(...read.findings)
    if (read.backends.length > 0) splits.set(key, { object: label, root, backends: read.backends })
  }
  return { splits, findings }
}

function backendsOf(
  split: KubeObject,
  label: string,
  services: ReadonlyMap<string, MeshService>,
): { backends: Split['backends']; findings: readonly Finding[] } {
  const findings: Finding[] = []
  const backends = (specOf<TrafficSplitSpec>(split).backends ?? []).flatMap(({ service = '', weight = 0 }) => {
    const there = services.get(`${split.metadata.namespace}/${service.split('.')[0]}`)
    if (there && there.workloads.length > 0) return [{ service: there, weight }]
    findings.push(found('BackendMissing', label, `${label} names Service ${service}, which has no Pods in the mesh.`))
    return []
  })
  return { backends, findings }
}

/** What a service is made of. */
export interface Versions {
  readonly versions: Readonly<Record<string, VersionSpec>>
  readonly initialVersion: string
  /** Services that stand for a version, and are none of their own. */
  readonly leaves: readonly MeshService[]
  /** Absent: one version takes all. */
  readonly weights?: Readonly<Record<string, number>>
  readonly findings: readonly Finding[]
}

/** A service without a split: one version, by the label `version` where all of its Pods bear the same. */
export function oneVersion(service: MeshService): Versions {
  const values = new Set(service.workloads.map(({ labels }) => labels.version))
  const [value] = values
  const isOne = values.size === 1 && value !== undefined && DNS_LABEL.test(value)
  const name = isOne ? value : 'v1'
  const labels = isOne ? { ...service.selector, version: value } : service.selector
  return { versions: { [name]: versionSpec(labels, service) }, initialVersion: name, leaves: [], findings: [] }
}
const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/

/** A split service: a version a backend, named by what its Service has more in its name than the root: `bookstore-v1` is v1. */
export function splitVersions({ object, root, backends }: Split): Versions {
  const findings: Finding[] = []
  const kept: { name: string; service: MeshService; weight: number }[] = []
  for (const { service, weight } of backends) {
    const outside = service.workloads.find(({ labels }) => !bears(labels, root.selector))
    const twin = kept.find((one) => one.service.workloads.some(({ object }) => selects(service, object)))
    if (outside) {
      const message = `${objectOf(root)} does not select ${outside.object}, which is behind ${objectOf(service)}.`
      findings.push(found('RootMissesVersion', object, message))
    } else if (twin) {
      const message = `${objectOf(service)} and ${objectOf(twin.service)} select the same Pods.`
      findings.push(found('BackendOverlaps', object, message))
    } else kept.push({ name: freeName(service, root, kept), service, weight })
  }
  if (kept.length === 0) return { ...oneVersion(root), findings }
  findings.push(...kept.flatMap(({ service }) => lostFindings(service, root, object)))
  const { weights, rounded } = wholePercents(kept.map(({ weight }) => weight))
  if (rounded)
    findings.push(found('WeightsRounded', object, `${object} has ${kept.map((one) => one.weight).join(':')}.`))
  const heaviest = kept[weights.indexOf(Math.max(...weights))]?.name ?? ''
  const versions = kept.map(({ name, service }) => [name, versionSpec(service.selector, service)] as const)
  return {
    versions: Object.fromEntries(versions),
    initialVersion: heaviest,
    leaves: kept.map(({ service }) => service),
    ...(Math.max(...weights) === 100
      ? {}
      : { weights: Object.fromEntries(kept.map(({ name }, at) => [name, weights[at] ?? 0])) }),
    findings,
  }
}

/** Rules name ports of the root: what only a backend serves, none lets in. */
export function lostPorts({ ports }: MeshService, root: MeshService): readonly MeshPort[] {
  const isServed = ({ targetPort, protocol }: MeshPort) =>
    root.ports.some((one) => one.targetPort === targetPort && (one.protocol === 'tcp') === (protocol === 'tcp'))
  return ports.filter((port) => !isServed(port))
}

function lostFindings(service: MeshService, root: MeshService, split: string): readonly Finding[] {
  const lost = lostPorts(service, root).map(({ name, targetPort }) => `${name} (${targetPort})`)
  if (lost.length === 0) return []
  const message = `${objectOf(service)} serves ${lost.join(', ')}, and ${objectOf(root)} does not.`
  return [found('PortNotCarried', split, message)]
}

function selects(service: MeshService, workload: string): boolean {
  return service.workloads.some(({ object }) => object === workload)
}

function freeName(service: MeshService, root: MeshService, taken: readonly { readonly name: string }[]): string {
  const own = service.name.startsWith(`${root.name}-`) ? service.name.slice(root.name.length + 1) : service.name
  return taken.some(({ name }) => name === own) ? service.name : own
}

function versionSpec(labels: Readonly<Record<string, string>>, service: MeshService): VersionSpec {
  const [account = '', ...others] = accountsOf(service)
  const serviceAccount = account.split('/')[1] ?? ''
  return { labels, ...(others.length === 0 && DNS_LABEL.test(serviceAccount) ? { serviceAccount } : {}) }
}

/** Whole per cents with the sum 100, by the largest remainder. Where all weights are 0, all to the first. */
export function wholePercents(weights: readonly number[]): { weights: readonly number[]; rounded: boolean } {
  const sum = weights.reduce((total, weight) => total + weight, 0)
  if (sum <= 0) return { weights: weights.map((_, at) => (at === 0 ? 100 : 0)), rounded: true }
  const exact = weights.map((weight) => (weight * 100) / sum)
  const whole = exact.map(Math.floor)
  const order = exact.map((value, at) => ({ at, rest: value - Math.floor(value) })).sort((a, b) => b.rest - a.rest)
  const missing = 100 - whole.reduce((total, part) => total + part, 0)
  for (const { at } of order.slice(0, missing)) whole[at] = (whole[at] ?? 0) + 1
  return { weights: whole, rounded: exact.some((value) => !Number.isInteger(value)) }
}
