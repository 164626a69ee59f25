import { canonicalJson } from '../../../model/digest.ts'
import { jsonPointer } from '../../../model/json-pointer.ts'
import type { AuthorizationRule } from '../../../model/policy/security.ts'
import { type ServiceSpec, serviceKey, serviceSpec } from '../../../model/service.ts'
import type { Finding } from '../../lint/finding.ts'
import { accessTo, MOST_RULES, type Replacement, rulesFor, shared } from './access.ts'
import { openEgress, type ReadEgress, readEgress } from './egress.ts'
import { type Grant, grantsOf } from './grants.ts'
import { meshFindings } from './mesh-findings.ts'
import { bears, type MeshSettings, meshSettings, type OsmObjects, onlyWatched, watchedNamespaces } from './objects.ts'
import { found } from './rules.ts'
import { accountsOf, type MeshService, objectOf, readServices } from './services.ts'
import { trafficOf } from './settings.ts'
import { lostPorts, oneVersion, readSplits, splitVersions, type Versions } from './versions.ts'

/** A service in neutral words: all of its body but who owns it and where it is to be. */
export type MigratedSpec = Omit<ServiceSpec, 'team' | 'clusters'>

export interface MigratedService {
  readonly namespace: string
  readonly name: string
  readonly spec: MigratedSpec
}

/** A caller that gets something in now, by service accounts, and what of it stays. */
export interface CallerChange {
  /** `bookbuyer/bookbuyer` */
  readonly from: string
  /** The service, `bookstore/bookstore`. */
  readonly to: string
  readonly after: 'same' | 'less' | 'none'
}

export interface Migration {
  /** The mesh lets everybody in it call everybody. */
  readonly permissive: boolean
  /** In the order of namespaces and names. */
  readonly services: readonly MigratedService[]
  /** What is not carried as it is. */
  readonly findings: readonly Finding[]
  /** Who may call whom now, and afterwards. Empty in permissive mode: everybody may, before and after. */
  readonly callers: readonly CallerChange[]
  /** Namespaces that the mesh watches. */
  readonly namespaces: readonly string[]
}

interface Scene {
  readonly objects: OsmObjects
  readonly mesh: MeshSettings
  readonly grants: readonly Grant[]
  /** What TrafficSplits make of their roots. */
  readonly divided: ReadonlyMap<string, Versions>
  readonly egress: ReadEgress
  readonly replacements: readonly Replacement[]
}

interface Carried {
  readonly migrated?: MigratedService
  readonly callers: readonly CallerChange[]
  readonly findings: readonly Finding[]
}

/**
 * What a cluster of Open Service Mesh enforces, as services in neutral words that let nobody in who is not let in now. What they
 * cannot say is left out and told. The same in gives the same out.
 */
export function migrateOsm(all: OsmObjects, replacements: readonly Replacement[] = []): Migration {
  const objects = onlyWatched(all)
  const mesh = meshSettings(objects)
  const read = readServices(objects)
  const { grants, findings: grantFindings } = grantsOf(objects)
  const { splits, findings: splitFindings } = readSplits(objects, read.services)
  const divided = new Map([...splits].map(([key, split]) => [key, splitVersions(split)]))
  const leaves = new Set([...divided].flatMap(([key, { leaves }]) => leaves.map(keyOf).filter((leaf) => leaf !== key)))
  const candidates = [...read.services.values()].filter(
    (service) => service.workloads.length > 0 && (!leaves.has(keyOf(service)) || splits.has(keyOf(service))),
  )
  const egress = readEgress(objects, mesh, candidates)
  const scene: Scene = { objects, mesh, grants, divided, egress, replacements }
  const carried = candidates.map((service) => carry(service, scene))
  const kept = carried.flatMap(({ migrated }) => migrated ?? [])
  const alone = read.workloads.filter(
    (one) => one.meshed && !kept.some((service) => service.namespace === one.namespace && stands(service, one.labels)),
  )
  return {
    permissive: mesh.permissive,
    services: kept,
    findings: once([
      ...meshFindings(objects, mesh, alone),
      ...read.findings,
      ...(mesh.permissive ? [] : grantFindings),
      ...splitFindings,
      ...carried.flatMap(({ findings }) => findings),
      ...egress.findings,
      ...openEgress(mesh, alone),
    ]),
    callers: carried.flatMap(({ migrated, callers }) => (migrated ? callers : [])),
    namespaces: [...watchedNamespaces(objects)].sort(),
  }
}

function keyOf({ namespace, name }: Pick<MeshService, 'namespace' | 'name'>): string {
  return serviceKey(namespace, name)
}

function stands({ spec }: MigratedService, labels: Readonly<Record<string, string>>): boolean {
  return spec.workload !== undefined && bears(labels, spec.workload.labels)
}

function carry(service: MeshService, scene: Scene): Carried {
  const { mesh, divided, objects, egress } = scene
  const { findings: versionFindings, weights, leaves, ...versions } = divided.get(keyOf(service)) ?? oneVersion(service)
  const called = leaves.length > 0 ? leaves : [service]
  const { traffic, findings: trafficFindings } = trafficOf(service, called, objects, mesh)
  const access = mesh.permissive ? everybody(service) : allowedTo(service, leaves, scene)
  const bounds = egress.egressOf(service)
  const all = { ...traffic, ...(weights ? { weights } : {}) }
  const checked = check(service, {
    ports: service.ports,
    ...versions,
    workload: { labels: service.selector },
    ...(Object.keys(all).length > 0 ? { traffic: all } : {}),
    security: { mtls: 'strict', authorization: { allow: access.allow } },
    ...(bounds ? { egress: bounds } : {}),
  })
  const findings = [...versionFindings, ...trafficFindings, ...access.findings, ...checked.findings]
  return {
    callers: access.callers,
    findings,
    ...(checked.spec ? { migrated: { namespace: service.namespace, name: service.name, spec: checked.spec } } : {}),
  }
}

/** All callers of the mesh, at the ports that are served and no others. Mutual TLS keeps the rest out. */
function everybody({ ports }: MeshService): Allowed {
  return { allow: [{ name: 'mesh', ports: ports.map(({ name }) => name) }], callers: [], findings: [] }
}

interface Allowed {
  readonly allow: readonly AuthorizationRule[]
  readonly callers: readonly CallerChange[]
  readonly findings: readonly Finding[]
}

/** What all service accounts of the service's Pods let in: rules hold for all of its Pods. */
function allowedTo(service: MeshService, leaves: readonly MeshService[], { grants, replacements }: Scene): Allowed {
  const accounts = accountsOf(service)
  const reads = accounts.map((account) => accessTo(account, service.ports, grants, replacements))
  const lostAt = leaves.flatMap((leaf) => lostPorts(leaf, service))
  const missed = accounts.flatMap((account) => accessTo(account, lostAt, grants, replacements).callers)
  const { both, lost } = shared(reads.map(({ access }) => access))
  const rules = rulesFor(both)
  const allow = rules.slice(0, MOST_RULES)
  const object = objectOf(service)
  const leftOut = rules.slice(MOST_RULES).flatMap(({ serviceAccounts = [] }) => serviceAccounts)
  const losers = [...new Set(lost.map(({ from }) => from))]
  const cut = new Set([...reads.flatMap((read) => read.cut), ...losers, ...leftOut, ...missed])
  const allowed = new Set(allow.flatMap(({ serviceAccounts = [] }) => serviceAccounts))
  const differ = `${accounts.join(', ')} do not let in the same requests of ${losers.join(', ')}.`
  const tooMany = `It takes ${rules.length} rules: those of ${[...new Set(leftOut)].join(', ')} after the first ${MOST_RULES} are left out.`
  return {
    allow,
    callers: [...new Set([...reads.flatMap((read) => read.callers), ...missed])].sort().map((from) => ({
      from,
      to: keyOf(service),
      after: !allowed.has(from) ? 'none' : cut.has(from) ? 'less' : 'same',
    })),
    findings: [
      ...reads.flatMap(({ findings }) => findings),
      ...(losers.length > 0 ? [found('AccessDiffers', object, differ)] : []),
      ...(leftOut.length > 0 ? [found('TooMuch', object, tooMany)] : []),
    ],
  }
}

/** The body, if it can be registered at all. */
function check(service: MeshService, draft: object): { spec?: MigratedSpec; findings: readonly Finding[] } {
  const parsed = serviceSpec.safeParse({ ...draft, team: 'none', clusters: [] })
  if (parsed.success) {
    const { team: _, clusters: _c, ...spec } = parsed.data
    return { spec, findings: [] }
  }
  const [issue] = parsed.error.issues
  const field = jsonPointer(issue?.path ?? [])
  const message = `${objectOf(service)} cannot be registered: ${field} ${issue?.message}.`
  return {
    findings: [found(issue?.code === 'too_big' ? 'TooMuch' : 'NameNotSayable', objectOf(service), message, { field })],
  }
}

/** Each finding once: what two services share is told once. */
function once(findings: readonly Finding[]): readonly Finding[] {
  return [...new Map(findings.map((one) => [canonicalJson(one), one])).values()]
}
