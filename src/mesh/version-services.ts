import { type Failure, fail } from '../model/failure.ts'
import type { KindRef, KubeObject } from '../model/kube.ts'
import type { ServiceSpec } from '../model/service.ts'
import { markedMetadata } from './marks.ts'
import type { RenderInput } from './provider.ts'

export const KUBE_SERVICE: KindRef = { apiVersion: 'v1', kind: 'Service' }

type Protocol = ServiceSpec['ports'][number]['protocol']

/** What tells a mesh the protocol of a port; undefined: nothing, it finds out. */
export type AppProtocols = Readonly<Record<Protocol, string | undefined>>

/** As Kubernetes names them: HTTP/2 without TLS, gRPC too, is `kubernetes.io/h2c`. */
const APP_PROTOCOLS: AppProtocols = {
  http: 'http',
  http2: 'kubernetes.io/h2c',
  grpc: 'kubernetes.io/h2c',
  tcp: undefined,
}

/** Names of Kubernetes Services are DNS labels. */
const LONGEST_NAME = 63

type Named = Pick<RenderInput, 'name' | 'spec'>

/** Kubernetes Services by version, for meshes without subsets: the one that the version names, else `NAME-VERSION`. */
export function versionServiceNames({ name, spec }: Named): Readonly<Record<string, string>> {
  const names = Object.entries(spec.versions).map(([version, { service }]) => [
    version,
    service ?? `${name}-${version}`,
  ])
  return Object.fromEntries(names)
}

/** Why versions cannot have a Service each; undefined when they can. */
export function versionServicesProblem(input: Named): Failure | undefined {
  const errors = [...nameErrors(input), ...selectorErrors(input.spec)]
  if (errors.length === 0) return undefined
  const detail = 'In this mesh each version needs a Kubernetes Service of its own, and that cannot be made.'
  return fail('InvalidCombination', detail, { errors }).failure
}

type FieldError = { readonly pointer: string; readonly reason: string }

function nameErrors(input: Named): readonly FieldError[] {
  const taken = new Map([[input.name, 'the service itself']])
  return Object.entries(versionServiceNames(input)).flatMap(([version, service]) => {
    const pointer = `/versions/${version}/service`
    const other = taken.get(service)
    taken.set(service, `version ${version}`)
    if (other)
      return [{ pointer, reason: `${service} is the Service of ${other}: name one that selects ${version} alone` }]
    if (service.length <= LONGEST_NAME) return []
    return [{ pointer, reason: `${service} is longer than ${LONGEST_NAME} characters: name a Service` }]
  })
}

/** A Service that is made selects what all Pods of the service bear, and what those of its version bear. */
function selectorErrors({ versions, workload }: ServiceSpec): readonly FieldError[] {
  const made = Object.entries(versions).filter(([, { service }]) => service === undefined)
  if (made.length === 0) return []
  if (!workload) {
    const names = made.map(([version]) => version).join(', ')
    const reason = `is needed for the Services of ${names} that Meshwright makes: the labels of every Pod of the service`
    return [{ pointer: '/workload', reason }]
  }
  return made.flatMap(([version, { labels }]) =>
    Object.entries(labels).flatMap(([key, value]) => {
      const common = workload.labels[key]
      if (common === undefined || common === value) return []
      const reason = `${key}=${value} cannot be where workload.labels say ${key}=${common}`
      return [{ pointer: `/versions/${version}/labels`, reason }]
    }),
  )
}

/** The Services that Meshwright makes, one for each version that names none, in the order of versions. */
export function versionServices(
  input: RenderInput,
  more: {
    readonly appProtocols?: AppProtocols
    /** Further annotations on each. */
    readonly annotations?: Readonly<Record<string, string>>
  } = {},
): readonly KubeObject[] {
  const { spec } = input
  const { appProtocols = APP_PROTOCOLS, annotations } = more
  const names = versionServiceNames(input)
  const metadata = markedMetadata(input)
  const ports = spec.ports.map(({ name, port, protocol, targetPort = port }) => {
    const appProtocol = appProtocols[protocol]
    return { name, port, targetPort, protocol: 'TCP', ...(appProtocol === undefined ? {} : { appProtocol }) }
  })
  return Object.keys(spec.versions)
    .filter((version) => spec.versions[version]?.service === undefined)
    .sort()
    .map((version) => ({
      ...KUBE_SERVICE,
      metadata: {
        ...metadata,
        name: names[version] ?? '',
        annotations: { ...metadata.annotations, ...annotations },
      },
      spec: { type: 'ClusterIP', selector: { ...spec.workload?.labels, ...spec.versions[version]?.labels }, ports },
    }))
}
