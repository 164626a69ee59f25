import type { RenderInput } from '../../../../src/mesh/provider.ts'
import { readKubeService } from '../../../../src/mesh/read/kube-service.ts'
import type { SeenObjects } from '../../../../src/mesh/read/reader.ts'
import type { KubeObject } from '../../../../src/model/kube.ts'

const SPEAKS = { http: 'http', http2: 'kubernetes.io/h2c', grpc: 'grpc', tcp: 'tcp' } as const

/** The Kubernetes Service that goes with a service. */
export function kubeServiceOf({ namespace, name, spec }: Pick<RenderInput, 'namespace' | 'name' | 'spec'>): KubeObject {
  const ports = spec.ports.map(({ name, port, protocol, targetPort = port }) => ({
    name,
    port,
    targetPort,
    appProtocol: SPEAKS[protocol],
  }))
  const selector = spec.workload?.labels ?? { app: name }
  return { apiVersion: 'v1', kind: 'Service', metadata: { namespace, name }, spec: { selector, ports } }
}

/** Objects as a person would have written them: nothing says that they are ours. */
export function asForeign(objects: readonly KubeObject[]): readonly KubeObject[] {
  return objects.map(({ apiVersion, kind, metadata, spec }) => {
    const { name, namespace = '', annotations } = metadata
    const own = { namespace, name, ...(annotations ? { annotations } : {}) }
    return structuredClone({ apiVersion, kind, metadata: own, ...(spec ? { spec } : {}) })
  })
}

/** A cluster that holds these objects and these Services. */
export function seenOf(objects: readonly KubeObject[], services: readonly KubeObject[]): SeenObjects {
  return { objects, services, mesh: { provider: 'istio' } }
}

/** A Kubernetes Service as readers look at it. */
export function subjectOf(service: KubeObject) {
  return readKubeService(service)
}
