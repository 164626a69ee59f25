import * as z from 'zod'
import type { ClusterEndpoint } from '../../ports/managed-clusters.ts'
import { PortError } from '../../ports/port-error.ts'

const kubeconfig = z.object({
  'current-context': z.string(),
  contexts: z.array(z.object({ name: z.string(), context: z.object({ cluster: z.string() }) })),
  clusters: z.array(
    z.object({
      name: z.string(),
      cluster: z.object({ server: z.url(), 'certificate-authority-data': z.base64().min(1) }),
    }),
  ),
})

/** Server and CA of the current context of a kubeconfig. Throws PortError `unavailable` (`Kubeconfig`) for another form. */
export async function endpointOf(text: string, system: string): Promise<ClusterEndpoint> {
  const { loadYaml } = await import('@kubernetes/client-node')
  const parsed = kubeconfig.safeParse(parse(() => loadYaml(text)))
  const context = parsed.data?.contexts.find(({ name }) => name === parsed.data['current-context'])
  const cluster = parsed.data?.clusters.find(({ name }) => name === context?.context.cluster)?.cluster
  if (cluster) return { server: cluster.server, caData: cluster['certificate-authority-data'] }
  // What is wrong is not told: a kubeconfig may hold a key.
  throw new PortError('unavailable', system, `${system} gave a credential of another form`, { reason: 'Kubeconfig' })
}

function parse(load: () => unknown): unknown {
  try {
    return load()
  } catch {
    return undefined
  }
}
