import { createHash } from 'node:crypto'
import type { KubeObject, KubeRef } from '../../model/kube.ts'
import { BUNDLE_PLACES } from '../trust/bundle-places.ts'

/** Where Linkerd keeps its identity, by the names of its chart (`charts/linkerd-control-plane/templates/identity.yaml`). */
const ISSUER_SECRET = 'linkerd-identity-issuer'
/** The identity controller: the Deployment of which its events tell. */
export const IDENTITY_CONTROLLER = 'linkerd-identity'

/** The labels of Pods with a proxy: of which control plane; and, of that control plane's own Pods, which part of it. */
export const CONTROL_PLANE_OF = 'linkerd.io/control-plane-ns'
export const COMPONENT = 'linkerd.io/control-plane-component'
/** On Pods: SHA-256 (hex) of the text of the anchors that the injector gave the proxy. Those of the control plane bear Helm's. */
export const ANCHORS_HASH = 'linkerd.io/trust-root-sha256'

/** What the issuer's Secret is made of: as `identity.issuer.scheme` says, one or the other. */
export type IssuerForm = 'kubernetes.io/tls' | 'linkerd.io/tls'

const KEYS = {
  'kubernetes.io/tls': { certificate: 'tls.crt', key: 'tls.key' },
  'linkerd.io/tls': { certificate: 'crt.pem', key: 'key.pem' },
} as const satisfies Readonly<Record<IssuerForm, unknown>>

export function anchorsRef(namespace: string): KubeRef {
  return { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: BUNDLE_PLACES.linkerd.configMap }
}

export function issuerRef(namespace: string): KubeRef {
  return { apiVersion: 'v1', kind: 'Secret', namespace, name: ISSUER_SECRET }
}

/** PEM of the anchors that the ConfigMap holds; empty: none. */
export function anchorsIn(configMap: KubeObject | undefined): string {
  return dataOf(configMap)[BUNDLE_PLACES.linkerd.key] ?? ''
}

export function anchorsData(pem: string): Readonly<Record<string, string>> {
  return { [BUNDLE_PLACES.linkerd.key]: pem }
}

/** The form of a Secret that is there; where there is none, that of an identity that others than Linkerd's chart keep. */
export function formOf(secret: KubeObject | undefined): IssuerForm {
  if (secret === undefined || secret.type === 'kubernetes.io/tls') return 'kubernetes.io/tls'
  return Object.hasOwn(dataOf(secret), KEYS['kubernetes.io/tls'].certificate) ? 'kubernetes.io/tls' : 'linkerd.io/tls'
}

/** PEM of issuer and chain, of the key, and of the anchors beside them (`ca.crt`); empty: not there. The key is a secret. */
export function issuerIn(secret: KubeObject | undefined): {
  readonly chain: string
  readonly key: string
  readonly anchors: string
} {
  const { certificate, key } = KEYS[formOf(secret)]
  const text = (name: string) => Buffer.from(dataOf(secret)[name] ?? '', 'base64').toString('utf8')
  return { chain: text(certificate), key: text(key), anchors: text('ca.crt') }
}

/** The data of the Secret, in the form that it has or is to have. Only that of `kubernetes.io/tls` holds the anchors too. */
export function issuerData(
  form: IssuerForm,
  { chain, key, anchors }: ReturnType<typeof issuerIn>,
): Readonly<Record<string, string>> {
  const names = KEYS[form]
  const base64 = (text: string) => Buffer.from(text, 'utf8').toString('base64')
  const pair = { [names.certificate]: base64(chain), [names.key]: base64(key) }
  return form === 'kubernetes.io/tls' ? { ...pair, 'ca.crt': base64(anchors) } : pair
}

/** SHA-256 of a text as it stands, lower-case hex: how Linkerd tells which anchors a Pod started with. */
export function textHash(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

const LIFETIME = /^--?identity-issuance-lifetime=(\S+)$/

/** How long certificates of workloads live, as the Deployment of the identity controller is told (`24h0m0s`); undefined: not said. */
export function issuanceLifetime(deployment: KubeObject | undefined): string | undefined {
  const template = deployment?.spec?.template as PodTemplate | undefined
  const words = (template?.spec?.containers ?? []).flatMap(({ args = [], command = [] }) => [...command, ...args])
  return words.map((word) => LIFETIME.exec(word)?.[1]).find((found) => found !== undefined)
}

interface PodTemplate {
  readonly spec?: {
    readonly containers?: readonly { readonly args?: readonly string[]; readonly command?: readonly string[] }[]
  }
}

function dataOf(object: KubeObject | undefined): Readonly<Record<string, string>> {
  const data = object?.data
  return typeof data === 'object' && data !== null ? (data as Readonly<Record<string, string>>) : {}
}
