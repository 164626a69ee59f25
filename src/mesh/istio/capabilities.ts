import { type Capability, type CapabilityTable, notBuilt, SUPPORTED } from '../capability.ts'
import { FEATURES, type Feature } from '../features.ts'

const BUILT: Readonly<Partial<Record<Feature, Capability>>> = {
  versions: {
    support: 'conditional',
    condition: 'Weights hold for callers with a sidecar; callers outside the mesh reach all versions.',
  },
  'ports.http': SUPPORTED,
  'ports.http2': SUPPORTED,
  'ports.grpc': SUPPORTED,
  hosts: { support: 'conditional', condition: 'Callers must be able to resolve the name; Meshwright sets no DNS.' },
  'traffic.weights': SUPPORTED,
  'traffic.timeout': SUPPORTED,
  'traffic.retries.attempts': SUPPORTED,
  'traffic.retries.perTryTimeout': SUPPORTED,
  'rollouts.canary': SUPPORTED,
  'rollouts.match': SUPPORTED,
  'rollouts.mirror': {
    support: 'conditional',
    condition: 'The candidate sees copies with "-shadow" at the end of the host name; what it writes is written twice.',
  },
  'rollouts.affinity': {
    support: 'conditional',
    condition: 'Holds for clients that keep cookies and send them on; a gRPC client seldom does.',
  },
  'gates.errors': {
    support: 'conditional',
    condition: 'Istio telemetry of the destination must reach the metrics source of the cluster.',
  },
  'gates.latency': {
    support: 'conditional',
    condition: 'As gates.errors; overMs must be an edge of the histogram istio_request_duration_milliseconds.',
  },
}

const LATER = notBuilt('The renderer for Istio does not write this yet; it comes later.', 'Leave it out for now.')

/** What Istio with sidecars takes: the AKS add-on and upstream. */
export const ISTIO_CAPABILITIES = Object.fromEntries(
  FEATURES.map((feature) => [feature, BUILT[feature] ?? LATER]),
) as CapabilityTable
