import type { EmulatedClusters } from './emulated-clusters.ts'
import type { EmulatorContext } from './emulators/emulator.ts'
import { generateKey, privateKeyOf } from './emulators/key-vault/keys.ts'
import { pem } from './emulators/key-vault/pem.ts'
import { authority } from './emulators/key-vault/x509.ts'
import type { SeedObject } from './emulators/kubernetes/seed.ts'
import { ANCHORS_HASH, ANCHORS_MAP, COMPONENT, CONTROL_PLANE_OF, ISSUER_SECRET } from './emulators/linkerd/linkerd.ts'
import { hashOf } from './emulators/linkerd/state.ts'
import { LINKERD_CLUSTER } from './linkerd-cluster.ts'
import { LINKERD_VERSION } from './linkerd-injector.ts'
import { PODS_ANNOTATION } from './world/plain-workloads.ts'
import { serviceSpec } from './world/world-spec.ts'

const NAMESPACE = 'linkerd'
const YEAR_MS = 31_536_000_000
const CREATED_BY = { 'linkerd.io/created-by': `linkerd/cli ${LINKERD_VERSION}` }
const PAYMENTS = { cluster: LINKERD_CLUSTER, namespace: 'payments', service: 'pay' }

/**
 * Does what `linkerd install` does on the sandbox's cluster with Linkerd, if there is one and it is not done yet, and puts a
 * service of two versions into its mesh, which nobody calls: the simulated traffic knows Istio's routes and metrics alone.
 */
export async function installLinkerd(
  context: EmulatorContext,
  { world, clusters }: Pick<EmulatedClusters, 'world' | 'clusters'>,
): Promise<void> {
  const cluster = clusters.get(LINKERD_CLUSTER)
  if (!cluster) return
  const { kubernetes } = cluster
  if (!kubernetes.get('v1', 'Secret', NAMESPACE, ISSUER_SECRET)) {
    const { certificate, key } = await cliIdentity(context.now())
    kubernetes.seed([namespaceObject(), ...identityObjects(certificate, key)])
    kubernetes.seed(['identity', 'destination', 'proxy-injector'].map((name) => controlPlane(name, certificate)))
    const metadata = { name: PAYMENTS.namespace, annotations: { 'linkerd.io/inject': 'enabled' } }
    kubernetes.seed([{ apiVersion: 'v1', kind: 'Namespace', metadata }])
  }
  cluster.advance()
  if (world.cluster(LINKERD_CLUSTER)?.services['payments/pay'] === undefined)
    world.putService(PAYMENTS, serviceSpec.parse({ versions: { v1: {}, v2: {} } }))
}

/** Without certificates given, the command makes one that is anchor and issuer at once, for a year (`cli/cmd/options.go`). */
async function cliIdentity(now: number): Promise<{ readonly certificate: string; readonly key: string }> {
  const stored = await generateKey({ kty: 'EC', curve: 'P-256' })
  const validity = { notBefore: now - 10_000, notAfter: now + YEAR_MS + 10_000, serial: '01' }
  const { der } = await authority(stored, 'CN=identity.linkerd.cluster.local', validity)
  const key = String(privateKeyOf(stored).export({ format: 'pem', type: 'sec1' }))
  return { certificate: pem('CERTIFICATE', der), key }
}

function namespaceObject(): SeedObject {
  const labels = { 'linkerd.io/is-control-plane': 'true', [CONTROL_PLANE_OF]: NAMESPACE }
  const annotations = { 'linkerd.io/inject': 'disabled' }
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE, labels, annotations } }
}

/** The chart cuts blanks off both ends of the texts. */
function identityObjects(certificate: string, key: string): readonly SeedObject[] {
  const labels = { [COMPONENT]: 'identity', [CONTROL_PLANE_OF]: NAMESPACE }
  const metadata = { namespace: NAMESPACE, labels, annotations: CREATED_BY }
  const stringData = { 'crt.pem': certificate.trim(), 'key.pem': key.trim() }
  const data = { 'ca-bundle.crt': certificate.trim() }
  return [
    { apiVersion: 'v1', kind: 'Secret', metadata: { ...metadata, name: ISSUER_SECRET }, type: 'Opaque', stringData },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...metadata, name: ANCHORS_MAP }, data },
  ]
}

const IDENTITY_ARGS = [
  'identity',
  '-controller-namespace=linkerd',
  '-identity-trust-domain=cluster.local',
  '-identity-issuance-lifetime=24h0m0s',
  '-identity-clock-skew-allowance=20s',
  '-identity-scheme=linkerd.io/tls',
]

/** A part of the control plane. Its Pods are not injected: their template has the proxy, and a hash that only Helm and the CLI renew. */
function controlPlane(component: string, certificate: string): SeedObject {
  const name = `linkerd-${component}`
  const own = { [COMPONENT]: component, [CONTROL_PLANE_OF]: NAMESPACE }
  const labels = { ...own, 'app.kubernetes.io/part-of': 'Linkerd', 'app.kubernetes.io/version': LINKERD_VERSION }
  const marks = { 'linkerd.io/proxy-version': LINKERD_VERSION, [ANCHORS_HASH]: hashOf(certificate) }
  const args = component === 'identity' ? IDENTITY_ARGS : [component]
  const containers = [
    { name: component, image: `cr.l5d.io/linkerd/controller:${LINKERD_VERSION}`, args },
    { name: 'linkerd-proxy', image: `cr.l5d.io/linkerd/proxy:${LINKERD_VERSION}` },
  ]
  const podLabels = { ...own, 'linkerd.io/proxy-deployment': name, 'linkerd.io/workload-ns': NAMESPACE }
  const template = { metadata: { labels: podLabels, annotations: { ...CREATED_BY, ...marks } }, spec: { containers } }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: NAMESPACE, labels, annotations: { ...CREATED_BY, [PODS_ANNOTATION]: 'true' } },
    spec: { replicas: 1, selector: { matchLabels: { ...own, 'linkerd.io/proxy-deployment': name } }, template },
  }
}
