import type { KubeObject } from '../../model/kube.ts'

/** Where a Pod's proxy takes calls: the first port that one of its other containers says it has. */
export interface ProxiedPort {
  readonly address: string
  readonly port: number
}

interface Container {
  readonly name?: string
  readonly ports?: readonly { readonly containerPort?: number; readonly protocol?: string }[]
}

const PROXY = 'istio-proxy'

/** Undefined: it names no port for TCP, has no address of its own, or is on its way out. */
export function proxiedPort({ metadata, spec = {}, status = {} }: KubeObject): ProxiedPort | undefined {
  const { hostNetwork, containers = [] } = spec as { hostNetwork?: boolean; containers?: readonly Container[] }
  const { podIP } = status as { podIP?: string }
  if (hostNetwork === true || podIP === undefined || metadata.deletionTimestamp !== undefined) return undefined
  const ports = containers.filter(({ name }) => name !== PROXY).flatMap((one) => one.ports ?? [])
  const port = ports.find(({ protocol = 'TCP' }) => protocol === 'TCP')?.containerPort
  return port === undefined ? undefined : { address: podIP, port }
}
