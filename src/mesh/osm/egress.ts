import type { KubeObject } from '../../model/kube.ts'
import { markedMetadata } from '../marks.ts'
import type { RenderInput } from '../provider.ts'
import { serviceAccounts } from './access.ts'
import { EGRESS } from './names.ts'

/** What the Pods' service accounts may reach outside, a host each. */
export function egressObjects(input: RenderInput): readonly KubeObject[] {
  const metadata = markedMetadata(input)
  const sources = serviceAccounts(input).map((name) => ({ kind: 'ServiceAccount', name, namespace: input.namespace }))
  return (input.policy.egress?.hosts ?? []).map(({ host, ports }) => ({
    ...EGRESS,
    metadata: { ...metadata, name: `${input.name}.${host}` },
    spec: { sources, hosts: [host], ports: ports.map(({ port, protocol }) => ({ number: port, protocol })) },
  }))
}
