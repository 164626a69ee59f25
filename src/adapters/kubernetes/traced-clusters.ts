import type { ClusterApi, ClusterApis } from '../../ports/cluster-api.ts'
import type { Telemetry } from '../../ports/telemetry.ts'

/** Clusters whose requests are spans: `kubernetes PATCH VirtualService`. No names of objects, no headers, no bodies. */
export function tracedClusters(clusters: ClusterApis, telemetry: Telemetry): ClusterApis {
  return {
    async connect(cluster) {
      const api = await clusters.connect(cluster)
      return traced(api, (method, kind, work) => {
        const attributes = { 'k8s.cluster.name': cluster.name, 'k8s.kind': kind, 'http.request.method': method }
        return telemetry.span(`kubernetes ${method} ${kind}`, attributes, work)
      })
    },
  }
}

type Trace = <T>(method: string, kind: string, work: () => Promise<T>) => Promise<T>

function traced(api: ClusterApi, trace: Trace): ClusterApi {
  return {
    get: (ref, options) => trace('GET', ref.kind, () => api.get(ref, options)),
    list: (kind, options) => trace('LIST', kind.kind, () => api.list(kind, options)),
    listMetadata: (kind, options) => trace('LIST', kind.kind, () => api.listMetadata(kind, options)),
    apply: (object, options) => trace('PATCH', object.kind, () => api.apply(object, options)),
    remove: (ref, uid, resourceVersion) => trace('DELETE', ref.kind, () => api.remove(ref, uid, resourceVersion)),
    podLog: (pod, options) => trace('GET', 'PodLog', () => api.podLog(pod, options)),
    version: () => trace('GET', 'version', () => api.version()),
    mayI: (question) => trace('POST', 'SelfSubjectAccessReview', () => api.mayI(question)),
  }
}
