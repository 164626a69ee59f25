import type { ProviderName } from '../../model/cluster.ts'

/** The ConfigMaps in which a mesh keeps what its proxies trust. */
export interface BundlePlace {
  readonly configMap: string
  /** Of the PEM in its data. */
  readonly key: string
}

/** By mesh; where there is none, its trust cannot be read in Kubernetes. */
export const BUNDLE_PLACES = {
  istio: { configMap: 'istio-ca-root-cert', key: 'root-cert.pem' },
  linkerd: { configMap: 'linkerd-identity-trust-roots', key: 'ca-bundle.crt' },
} satisfies Readonly<Partial<Record<ProviderName, BundlePlace>>>

/** Where a mesh of this provider keeps its bundles; undefined: nowhere that can be read. */
export function bundlePlaceOf(provider: ProviderName): BundlePlace | undefined {
  return provider === 'istio' || provider === 'linkerd' ? BUNDLE_PLACES[provider] : undefined
}
