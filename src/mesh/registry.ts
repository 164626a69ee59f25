import type { ProviderName } from '../model/cluster.ts'
import { fail, type Result, succeed } from '../model/failure.ts'
import { consul } from './consul/consul.ts'
import { gatewayApi } from './gateway-api/gateway-api.ts'
import { istio } from './istio/istio.ts'
import { linkerd } from './linkerd/linkerd.ts'
import { osm } from './osm/osm.ts'
import type { Provider } from './provider.ts'

const BUILT: Readonly<Record<ProviderName, Provider>> = { istio, linkerd, consul, osm, 'gateway-api': gatewayApi }

/** The provider of a name; undefined for a name that a newer Meshwright stored. */
export function providerFor(name: ProviderName): Provider | undefined {
  return Object.hasOwn(BUILT, name) ? BUILT[name] : undefined
}

/** The provider of a name, or why there is none: the failure `NotBuilt`. */
export function requireProvider(name: ProviderName): Result<Provider> {
  const provider = providerFor(name)
  return provider ? succeed(provider) : fail('NotBuilt', `This version of Meshwright has no provider ${name}.`)
}
