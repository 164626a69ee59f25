import * as z from 'zod'
import type { ClusterDocument } from './documents.ts'
import { dnsLabel, labelMap } from './names.ts'

const port = z.int().min(1).max(65_535)
const objectName = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/, 'must be the name of a Kubernetes object')

/** A gateway that a cluster has, so that services can be exposed on it by a name that means the same on every cluster. */
export const gatewaySpec = z
  .strictObject({
    namespace: dnsLabel.describe('Of the Gateway (Gateway API), or of the Pods, where TLS Secrets must be (Istio)'),
    name: objectName.optional().describe('Gateway API: the Gateway'),
    listener: objectName.optional().describe('Gateway API: name of one of its listeners; all of them when left out'),
    selector: labelMap
      .refine((labels) => Object.keys(labels).length > 0, 'must hold at least one label')
      .optional()
      .describe('Istio: labels of its Pods'),
    httpPort: port.optional().describe('Istio: 80 when left out'),
    httpsPort: port.optional().describe('Istio: 443 when left out'),
  })
  .refine(({ selector, name }) => selector !== undefined || name !== undefined, {
    message: 'give name (Gateway API), selector (Istio), or both',
  })
export type GatewaySpec = z.infer<typeof gatewaySpec>
/** A Gateway of the Gateway API on a cluster, which others keep. */
export type GatewayRef = GatewaySpec & { readonly name: string }

/** The gateways of the AKS Istio add-on, by the names that they have without being named in the cluster. */
const ADD_ON: Readonly<Record<string, GatewaySpec>> = Object.fromEntries(
  ['external', 'internal'].map((name) => [
    name,
    {
      namespace: 'aks-istio-ingress',
      selector: { istio: `aks-istio-ingressgateway-${name}` },
    },
  ]),
)

/** The gateway of a name on a cluster: what its owner says, else those of the AKS Istio add-on. Undefined: there is none. */
export function gatewayOn(cluster: Pick<ClusterDocument, 'spec' | 'mesh'>, name: string): GatewaySpec | undefined {
  const { gateways = {} } = cluster.spec.mesh ?? {}
  if (Object.hasOwn(gateways, name)) return gateways[name]
  const isAddOn = cluster.mesh?.provider === 'istio' && cluster.mesh.namespace === 'aks-istio-system'
  return isAddOn && Object.hasOwn(ADD_ON, name) ? ADD_ON[name] : undefined
}
