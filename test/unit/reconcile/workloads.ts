import type { KubeObject } from '../../../src/model/kube.ts'

type Labels = Readonly<Record<string, string>>

/** A Deployment in namespace shop that makes Pods with `labels`, and selects them by the same unless told otherwise. */
export function deployment(name: string, labels: Labels, selector: unknown = { matchLabels: labels }): KubeObject {
  const spec = { selector, template: { metadata: { labels } } }
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, namespace: 'shop' }, spec }
}

export function autoscaler(name: string, target: string, kind = 'Deployment'): KubeObject {
  const spec = { scaleTargetRef: { apiVersion: 'apps/v1', kind, name: target }, maxReplicas: 5 }
  const metadata = { name, namespace: 'shop' }
  return { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', metadata, spec }
}

export function budget(name: string, matchLabels: Labels | null): KubeObject {
  const spec = { minAvailable: 1, selector: matchLabels && { matchLabels } }
  return { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: { name, namespace: 'shop' }, spec }
}
