import type { KubeObject } from '../../../src/model/kube.ts'
import type { AccessQuestion, ClusterApi, ClusterApis } from '../../../src/ports/cluster-api.ts'
import type { PortError } from '../../../src/ports/port-error.ts'

/** A cluster that is only looked at: what lists answer is put in by the test, by kind. */
export class FakeClusters implements ClusterApis {
  readonly objects = new Map<string, readonly KubeObject[]>()
  kubernetesVersion = 'v1.36.3'
  /** What `connect` throws. */
  refusal: PortError | undefined
  /** What requests throw, by `list Deployment`, `version`… */
  readonly failures = new Map<string, PortError>()
  allowed: (question: AccessQuestion) => boolean = () => true
  readonly asked: AccessQuestion[] = []

  async connect(): Promise<ClusterApi> {
    if (this.refusal) throw this.refusal
    const list = async (kind: string) => {
      this.fail(`list ${kind}`)
      return this.objects.get(kind) ?? []
    }
    const unused = () => Promise.reject(new Error('this cluster is only looked at'))
    return {
      get: unused,
      apply: unused,
      remove: unused,
      podLog: unused,
      list: ({ kind }) => list(kind),
      listMetadata: ({ kind }) => list(kind),
      version: async () => {
        this.fail('version')
        return this.kubernetesVersion
      },
      mayI: async (question) => {
        this.fail('mayI')
        this.asked.push(question)
        return this.allowed(question)
      },
    }
  }

  private fail(request: string): void {
    const failure = this.failures.get(request)
    if (failure) throw failure
  }
}

/** A CustomResourceDefinition by its name. */
export function crd(name: string, annotations: Readonly<Record<string, string>> = {}): KubeObject {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name, annotations },
  }
}

/** A Deployment of istiod. */
export function istiod(namespace: string, name: string, revision?: string, image = 'pilot:1.30.2'): KubeObject {
  const labels = { app: 'istiod', ...(revision === undefined ? {} : { 'istio.io/rev': revision }) }
  const spec = { template: { spec: { containers: [{ image: 'sidecar:1.0.0' }, { image }] } } }
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, namespace, labels }, spec }
}
