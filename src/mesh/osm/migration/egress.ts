import { hostName } from '../../../model/names.ts'
import type { EgressSpec } from '../../../model/policy/egress.ts'
import type { Finding } from '../../lint/finding.ts'
import { accountKey, type MeshSettings, type OsmObjects, specOf, type Workload } from './objects.ts'
import { found } from './rules.ts'
import { accountsOf, type MeshService } from './services.ts'

interface EgressObject {
  readonly sources?: readonly { readonly name?: string; readonly namespace?: string }[]
  readonly hosts?: readonly string[]
  readonly ipAddresses?: readonly string[]
  readonly ports?: readonly { readonly number: number; readonly protocol: string }[]
  readonly matches?: readonly unknown[]
}

type Host = NonNullable<EgressSpec['hosts']>[number]
type Protocol = Host['ports'][number]['protocol']

/** What an Egress lets service accounts reach. */
interface Way {
  readonly object: string
  readonly sources: ReadonlySet<string>
  readonly hosts: readonly Host[]
}

/** What Pods of services may reach outside. */
export interface ReadEgress {
  /** Undefined: the mesh bounds nothing. */
  egressOf(service: MeshService): EgressSpec | undefined
  readonly findings: readonly Finding[]
}

/**
 * Hosts of an Egress hold for service accounts, those of a service for all Pods of its namespace that are bounded: so a host is
 * carried where every service of the namespace may reach it, and told where it is not.
 */
export function readEgress(objects: OsmObjects, mesh: MeshSettings, services: readonly MeshService[]): ReadEgress {
  if (mesh.egressOpen) return { egressOf: () => undefined, findings: notInForce(objects, 'traffic.enableEgress is on') }
  if (!mesh.egressPolicy) {
    const findings = notInForce(objects, 'featureFlags.enableEgressPolicy is off')
    return { egressOf: () => ({ unlisted: 'deny' }), findings }
  }
  const findings: Finding[] = []
  const ways = objects.egresses.map((egress): Way => {
    const object = `Egress ${egress.metadata.namespace}/${egress.metadata.name}`
    const read = hostsOf(specOf<EgressObject>(egress), object)
    findings.push(...read.findings)
    const sources = (specOf<EgressObject>(egress).sources ?? []).flatMap(({ name, namespace }) =>
      name && namespace ? [accountKey({ name, namespace })] : [],
    )
    return { object, sources: new Set(sources), hosts: read.hosts }
  })
  const accounts = new Map<string, Set<string>>()
  for (const service of services) {
    const all = accounts.get(service.namespace) ?? new Set()
    for (const account of accountsOf(service)) all.add(account)
    accounts.set(service.namespace, all)
  }
  return {
    egressOf: ({ namespace }) => {
      const hosts = sharedHosts(ways, [...(accounts.get(namespace) ?? [])])
      return { unlisted: 'deny', ...(hosts.length > 0 ? { hosts: [...hosts] } : {}) }
    },
    findings: [...findings, ...lostWays(ways, accounts)],
  }
}

/** Those that every account may reach, with the ports that every one may. */
function sharedHosts(ways: readonly Way[], accounts: readonly string[]): readonly Host[] {
  const reach = accounts.map((account) => {
    const hosts = ways.filter(({ sources }) => sources.has(account)).flatMap(({ hosts }) => hosts)
    return new Set(hosts.flatMap(({ host, ports }) => ports.map(({ port, protocol }) => `${host} ${port} ${protocol}`)))
  })
  const [first = new Set<string>(), ...others] = reach
  const both = [...first].filter((one) => others.every((other) => other.has(one))).sort()
  const byHost = new Map<string, Host['ports']>()
  for (const text of both) {
    const [host = '', port, protocol] = text.split(' ')
    const known = byHost.get(host) ?? []
    // A host has one protocol on a port.
    if (known.some((one) => one.port === Number(port))) continue
    byHost.set(host, [...known, { port: Number(port), protocol: protocol as Protocol }])
  }
  return [...byHost].map(([host, ports]) => ({ host, ports }))
}

function lostWays(ways: readonly Way[], accounts: ReadonlyMap<string, ReadonlySet<string>>): readonly Finding[] {
  return ways.flatMap(({ object, sources }) =>
    [...sources].sort().flatMap((account) => {
      const namespace = account.split('/')[0] ?? ''
      const own = accounts.get(namespace)
      if (!own?.has(account)) return [found('EgressNotCarried', object, `No registered service runs as ${account}.`)]
      const others = [...own].filter((one) => !sources.has(one))
      if (others.length === 0) return []
      const message = `${account} may reach the hosts of ${object} and ${others.join(', ')} may not: a host is known to all of ${namespace}.`
      return [found('EgressNotCarried', object, message)]
    }),
  )
}

function hostsOf(spec: EgressObject, object: string): { hosts: readonly Host[]; findings: readonly Finding[] } {
  const lost = (reason: string) => ({
    hosts: [],
    findings: [found('EgressNotCarried', object, `${object} ${reason}.`)],
  })
  if ((spec.matches ?? []).length > 0) return lost('asks for more of requests than their host')
  if ((spec.ipAddresses ?? []).length > 0) return lost('names addresses, and a service names hosts')
  if ((spec.hosts ?? []).length === 0) return lost('names no hosts')
  const ports = (spec.ports ?? []).flatMap(({ number, protocol }) => {
    const name = protocol.toLowerCase()
    return name === 'http' || name === 'https' ? [{ port: number, protocol: name as Protocol }] : []
  })
  const findings: Finding[] = []
  if (ports.length < (spec.ports ?? []).length)
    findings.push(found('EgressNotCarried', object, `${object} has ports of plain TCP, which no host is known by.`))
  const hosts = (spec.hosts ?? []).flatMap((host): Host[] => {
    const isOne = hostName.safeParse(host).success
    // A wildcard is known by the name in TLS alone.
    const own = host.startsWith('*') ? ports.filter(({ protocol }) => protocol === 'https') : ports
    if (isOne && own.length > 0 && own.length <= 8) return [{ host, ports: own }]
    findings.push(found('EgressNotCarried', object, `${object} names host ${host}, which cannot be said.`))
    return []
  })
  return { hosts, findings }
}

function notInForce(objects: OsmObjects, because: string): readonly Finding[] {
  return objects.egresses.map((egress) => {
    const object = `Egress ${egress.metadata.namespace}/${egress.metadata.name}`
    return found('NotInForce', object, `${because}, so ${object} does nothing.`)
  })
}

/** Pods that nothing bounds on the new mesh. */
export function openEgress(mesh: MeshSettings, alone: readonly Workload[]): readonly Finding[] {
  if (mesh.egressOpen || alone.length === 0) return []
  const names = alone.map(({ object }) => object)
  return [found('EgressOpen', names[0] ?? '', `No registered service stands for ${names.slice(0, 5).join(', ')}.`)]
}
