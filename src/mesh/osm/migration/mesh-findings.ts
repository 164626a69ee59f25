import type { Finding } from '../../lint/finding.ts'
import { type MeshSettings, type OsmObjects, specOf, type Workload } from './objects.ts'
import { found } from './rules.ts'

interface IngressSpec {
  readonly backends?: readonly { readonly name?: string; readonly port?: { readonly number?: number } }[]
  readonly sources?: readonly { readonly kind?: string; readonly namespace?: string; readonly name?: string }[]
}

/** What of the mesh as a whole is not carried, or not looked at. `alone`: Pods that no service stands for. */
export function meshFindings(objects: OsmObjects, mesh: MeshSettings, alone: readonly Workload[]): readonly Finding[] {
  const config = `MeshConfig ${objects.meshConfigs.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`).join(', ')}`
  const names = alone.map(({ object }) => object)
  const ignored = mesh.permissive ? objects.trafficTargets : []
  return [
    ...objects.unseen.map((sentence) => found('NotSeen', 'cluster', sentence)),
    ...(objects.meshConfigs.length === 0
      ? [
          found(
            'NotSeen',
            'MeshConfig',
            'No MeshConfig was seen: the mesh counts as one that lets nobody in by default.',
          ),
        ]
      : []),
    ...(mesh.externalAuthorization
      ? [found('ExternalAuthorization', config, `${config} sets traffic.inboundExternalAuthorization.`)]
      : []),
    ...(mesh.excludedPorts.length > 0
      ? [found('PortsExcluded', config, `${config} excludes ports ${mesh.excludedPorts.join(', ')}.`)]
      : []),
    ...objects.pods.flatMap(excluding),
    ...objects.ingressBackends.map(ingress),
    ...ignored.map(({ metadata }) => {
      const object = `TrafficTarget ${metadata.namespace}/${metadata.name}`
      return found('NotInForce', object, `The permissive mode is on, so ${object} does nothing.`)
    }),
    ...(names.length > 0
      ? [
          found(
            'PodsWithoutService',
            names[0] ?? '',
            `No registered service stands for ${names.slice(0, 5).join(', ')}.`,
          ),
        ]
      : []),
  ]
}

const EXCLUDED = 'openservicemesh.io/inbound-port-exclusion-list'

function excluding({ metadata }: OsmObjects['pods'][number]): readonly Finding[] {
  const ports = metadata.annotations?.[EXCLUDED]
  const object = `Pod ${metadata.namespace}/${metadata.name}`
  return ports === undefined ? [] : [found('PortsExcluded', object, `${object} excludes ports ${ports}.`)]
}

function ingress(backend: OsmObjects['ingressBackends'][number]): Finding {
  const { namespace, name } = backend.metadata
  const { backends = [], sources = [] } = specOf<IngressSpec>(backend)
  const to = backends.map((one) => `${namespace}/${one.name}`).join(', ')
  const from = sources.map(({ kind, namespace: of, name }) => `${kind} ${of === undefined ? '' : `${of}/`}${name}`)
  const object = `IngressBackend ${namespace}/${name}`
  return found('IngressNotCarried', object, `${from.join(', ')} may call ${to} now.`)
}
