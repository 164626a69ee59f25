import { createHash, X509Certificate } from 'node:crypto'
import { type TestRoot, testCaSet } from '../../unit/fakes/mesh-authority.ts'
import type { KubernetesAdmin, KubernetesObject } from './kubernetes.ts'

/** Linkerd as a cluster shows it, played by a test: no registry carries the real one. */
export interface PlayedLinkerd {
  /** What a controller does when a person restarts Deployments: every Pod goes, and another comes in its place. */
  restartControlPlane(): Promise<void>
  restartMeshed(): Promise<void>
  /** The identity controller looks at its Secret: it takes an issuer that stands on the anchors that it started with. */
  poll(): Promise<void>
  /** Serial of the issuer that identity signs with, lower-case hex. */
  signs(): string
  /** What it refused, and every moment at which the Secret's issuer stood on none of the anchors of the ConfigMap. */
  readonly wrong: readonly string[]
  live(): Promise<LiveLinkerd>
}

export interface LiveLinkerd {
  readonly anchors: string
  readonly chain: string
  readonly key: string
}

const NAMESPACE = 'linkerd'
const CONFIG_MAP = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace: NAMESPACE, name: 'linkerd-identity-trust-roots' },
}
const SECRET = { apiVersion: 'v1', kind: 'Secret', metadata: { namespace: NAMESPACE, name: 'linkerd-identity-issuer' } }
const COMPONENTS = ['identity', 'destination', 'proxy-injector']

/** What `linkerd install | kubectl apply` leaves, with anchors and issuer of `root`, and `meshed` Pods (`shop/web`). */
export async function installLinkerd(
  admin: KubernetesAdmin,
  root: TestRoot,
  meshed: readonly string[],
): Promise<PlayedLinkerd> {
  const issuer = await testCaSet(root, Date.now() - 60_000)
  const data = { 'crt.pem': base64(issuer.caCert), 'key.pem': base64(issuer.caKey) }
  const namespaces = [NAMESPACE, ...new Set(meshed.map((pod) => pod.split('/')[0] ?? ''))]
  await admin.apply(
    [
      ...namespaces.map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })),
      { ...CONFIG_MAP, data: { 'ca-bundle.crt': root.pem.trim() } },
      { ...SECRET, type: 'Opaque', data },
    ],
    'kubectl',
  )
  let started = ''
  let signing: X509Certificate | undefined
  const wrong: string[] = []
  const live = async (): Promise<LiveLinkerd> => {
    const [configMap, secret] = await Promise.all([admin.get(CONFIG_MAP), admin.get(SECRET)])
    const text = (name: string) => Buffer.from(dataOf(secret)[name] ?? '', 'base64').toString('utf8')
    return { anchors: dataOf(configMap)['ca-bundle.crt'] ?? '', chain: text('crt.pem'), key: text('key.pem') }
  }
  const restart = async (pod: KubernetesObject) => {
    await admin.remove(pod)
    await admin.apply([pod], 'controller')
  }
  const linkerd: PlayedLinkerd = {
    wrong,
    live,
    signs: () => signing?.serialNumber.toLowerCase().replace(/^0+/, '') ?? '',
    async restartControlPlane() {
      const { anchors, chain } = await live()
      if (!standsOn(chain, anchors)) return void wrong.push('identity would not start')
      for (const component of COMPONENTS) await restart(controlPlanePod(component))
      started = anchors
      signing = new X509Certificate(chain)
    },
    async restartMeshed() {
      const { anchors } = await live()
      const hash = createHash('sha256').update(anchors).digest('hex')
      for (const name of meshed) await restart(meshedPod(name, hash))
    },
    async poll() {
      const { anchors, chain } = await live()
      if (!standsOn(chain, anchors)) wrong.push('an issuer stands on none of the anchors')
      if (signing?.raw.equals(new X509Certificate(chain).raw)) return
      const isTaken = standsOn(chain, started)
      if (isTaken) signing = new X509Certificate(chain)
      else wrong.push('identity refused an issuer')
      await admin.apply([issuerEvent(isTaken ? 'IssuerUpdated' : 'IssuerUpdateSkipped')], 'identity')
    },
  }
  await linkerd.restartControlPlane()
  await linkerd.restartMeshed()
  return linkerd
}

function controlPlanePod(component: string): KubernetesObject {
  const labels = { 'linkerd.io/control-plane-ns': NAMESPACE, 'linkerd.io/control-plane-component': component }
  return pod(NAMESPACE, `linkerd-${component}`, labels, {})
}

function meshedPod(path: string, hash: string): KubernetesObject {
  const [namespace = '', name = ''] = path.split('/')
  const labels = { 'linkerd.io/control-plane-ns': NAMESPACE }
  return pod(namespace, name, labels, { 'linkerd.io/trust-root-sha256': hash })
}

function pod(
  namespace: string,
  name: string,
  labels: Readonly<Record<string, string>>,
  annotations: Readonly<Record<string, string>>,
): KubernetesObject {
  const spec = { terminationGracePeriodSeconds: 0, containers: [{ name: 'app', image: 'pause' }] }
  return { apiVersion: 'v1', kind: 'Pod', metadata: { namespace, name, labels, annotations }, spec }
}

function issuerEvent(reason: string): KubernetesObject {
  const at = `${new Date().toISOString().slice(0, 19)}Z`
  const involvedObject = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: NAMESPACE, name: 'linkerd-identity' }
  const more = {
    involvedObject,
    reason,
    message: `played: ${reason}`,
    type: 'Normal',
    firstTimestamp: at,
    lastTimestamp: at,
  }
  const name = `linkerd-identity.${Date.now().toString(16)}`
  return { apiVersion: 'v1', kind: 'Event', metadata: { namespace: NAMESPACE, name }, ...more }
}

function standsOn(chain: string, anchors: string): boolean {
  const issuer = new X509Certificate(chain)
  return certificates(anchors).some((anchor) => issuer.checkIssued(anchor) && issuer.verify(anchor.publicKey))
}

export function certificates(pem: string): readonly X509Certificate[] {
  return (pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).map(
    (one) => new X509Certificate(one),
  )
}

function dataOf(object: KubernetesObject | undefined): Readonly<Record<string, string>> {
  return (object?.data ?? {}) as Readonly<Record<string, string>>
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
