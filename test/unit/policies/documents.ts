import { clusterSpec } from '../../../src/model/cluster.ts'
import type { ClusterDocument, PolicyDocument } from '../../../src/model/documents.ts'
import { sharedPolicySpec } from '../../../src/model/policy/shared-policy.ts'
import { AT, aCluster } from '../fakes/documents.ts'

/** A policy for all that sets a timeout, in place of which `spec` says other things. */
export function aPolicy(
  name: string,
  spec: Readonly<Record<string, unknown>> = {},
  change: Partial<PolicyDocument> = {},
): PolicyDocument {
  return {
    schema: 1,
    kind: 'policy',
    name,
    spec: sharedPolicySpec.parse({ appliesTo: 'all', traffic: { timeout: '9s' }, ...spec }),
    generation: 1,
    observedGeneration: 0,
    conditions: [],
    saidAt: AT,
    idempotency: [],
    outbox: [],
    createdAt: AT,
    updatedAt: AT,
    ...change,
  }
}

export function labelled(name: string, env: string, mode: 'manage' | 'observe' = 'manage'): ClusterDocument {
  return aCluster(name, { spec: clusterSpec.parse({ kubeconfig: { context: name }, mode, labels: { env } }) })
}
