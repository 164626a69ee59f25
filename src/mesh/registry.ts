import type { ProviderName } from '../model/cluster.ts'
import { type Result, succeed } from '../model/failure.ts'
import { CAPABILITIES } from './capabilities.ts'
import { consul } from './consul/consul.ts'
import { gatewayApi } from './gateway-api/gateway-api.ts'
import { istio } from './istio/istio.ts'
import { osm } from './osm/osm.ts'
import type { Provider } from './provider.ts'

const BUILT: Readonly<Partial<Record<ProviderName, Provider>>> = {
  istio,
  consul,
  osm,
  'gateway-api': gatewayApi,
}

/** The provider of a name; undefined while it is not built. */
export function providerFor(name: ProviderName): Provider | undefined {
  return BUILT[name]
}

/** The provider of a name, or why there is none: the failure `NotBuilt`. */
export function requireProvider(name: ProviderName): Result<Provider> {
  const provider = providerFor(name)
  if (provider) return succeed(provider)
  const capability = CAPABILITIES[name].versions
  const [detail, hint] =
    capability.support === 'refused' ? [capability.reason, capability.nearest] : [`No provider ${name}.`, undefined]
  return { ok: false, failure: { code: 'NotBuilt', detail, ...(hint === undefined ? {} : { hint }) } }
}
