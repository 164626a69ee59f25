import {
  CERTIFICATE,
  CERTIFICATE_SERIAL,
  CERTIFICATE_VERSION,
  MANAGED_BY,
  MANAGER,
  REVISION,
} from '../../mesh/marks.ts'
import type { CertificateSpec, CertificateTarget } from '../../model/certificate.ts'
import type { KubeMetadata, KubeObject, KubeRef } from '../../model/kube.ts'
import type { KeyPair } from './key-pair.ts'

/** One certificate as it is wanted on one cluster. */
export interface Wanted {
  readonly name: string
  readonly spec: CertificateSpec
  readonly target: CertificateTarget
}

export const SECRET = { apiVersion: 'v1', kind: 'Secret' } as const
export const PROVIDER_CLASS = { apiVersion: 'secrets-store.csi.x-k8s.io/v1', kind: 'SecretProviderClass' } as const
export const DEPLOYMENT = { apiVersion: 'apps/v1', kind: 'Deployment' } as const
/** The label that the Secrets Store CSI driver sets on the Secrets that it makes. */
export const DRIVEN = 'secrets-store.csi.k8s.io/managed'

/** The TLS Secret that the gateway reads. */
export function secretRef({ spec }: Pick<Wanted, 'spec'>): KubeRef {
  return { ...SECRET, namespace: spec.secret.namespace, name: spec.secret.name }
}

/** Name of the SecretProviderClass and of the Deployment that keeps it mounted. */
export function keeperName(certificate: string): string {
  return `meshwright-certs-${certificate}`
}

/** The TLS Secret with key and chain, for delivery `secret`. */
export function tlsSecret(wanted: Wanted, pair: KeyPair): KubeObject {
  return {
    ...SECRET,
    metadata: marked(wanted, wanted.spec.secret.name),
    type: 'kubernetes.io/tls',
    data: { 'tls.crt': base64(pair.chain), 'tls.key': base64(pair.key) },
  }
}

/** What tells the driver to fetch the wanted version and to make the TLS Secret of it. `vault` is the vault's address. */
export function providerClass(wanted: Wanted, vault: string): KubeObject {
  const { spec, target, name } = wanted
  const objectName = spec.vaultName ?? name
  const { labels = {}, annotations = {} } = marked(wanted, keeperName(name))
  // One object of type `secret` gives key and full chain; `cert` would leave out the chain.
  const object = `objectName: "${objectName}"\nobjectType: secret\nobjectVersion: "${target.version}"\n`
  return {
    ...PROVIDER_CLASS,
    metadata: marked(wanted, keeperName(name)),
    spec: {
      provider: 'azure',
      parameters: {
        usePodIdentity: 'false',
        useVMManagedIdentity: 'true',
        userAssignedIdentityID: spec.csi?.clientId ?? '',
        tenantId: spec.csi?.tenantId ?? '',
        keyvaultName: new URL(vault).hostname.split('.')[0] ?? '',
        // The public cloud: no vault of another is ever called.
        cloudName: '',
        objects: `array:\n  - |\n${indented(object)}`,
      },
      secretObjects: [
        {
          secretName: spec.secret.name,
          type: 'kubernetes.io/tls',
          labels,
          annotations: { [CERTIFICATE]: annotations[CERTIFICATE] },
          data: [
            { objectName, key: 'tls.key' },
            { objectName, key: 'tls.crt' },
          ],
        },
      ],
    },
  }
}

/** A Pod that does nothing but keep the class mounted: the driver syncs, and keeps, the Secret only while one does. */
export function keeper(wanted: Wanted): KubeObject {
  const name = keeperName(wanted.name)
  const labels = { 'app.kubernetes.io/name': 'meshwright-certs', 'app.kubernetes.io/instance': wanted.name }
  return {
    ...DEPLOYMENT,
    metadata: marked(wanted, name),
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      // The Secret goes with the last Pod: the next one comes first.
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: { metadata: { labels: { ...labels, 'sidecar.istio.io/inject': 'false' } }, spec: keeperPod(name) },
    },
  }
}

/** On every AKS node as the image of Pods' sandboxes. */
const PAUSE = 'mcr.microsoft.com/oss/kubernetes/pause:3.6'

function keeperPod(className: string): Readonly<Record<string, unknown>> {
  return {
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 5,
    nodeSelector: { 'kubernetes.io/os': 'linux' },
    securityContext: { runAsNonRoot: true, runAsUser: 65535, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [
      {
        name: 'keeper',
        image: PAUSE,
        resources: { requests: { cpu: '1m', memory: '8Mi' }, limits: { memory: '32Mi' } },
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
        volumeMounts: [{ name: 'certificate', mountPath: '/certificate', readOnly: true }],
      },
    ],
    volumes: [
      {
        name: 'certificate',
        csi: {
          driver: 'secrets-store.csi.k8s.io',
          readOnly: true,
          volumeAttributes: { secretProviderClass: className },
        },
      },
    ],
  }
}

function marked({ spec, target, name: certificate }: Wanted, name: string): KubeMetadata {
  return {
    name,
    namespace: spec.secret.namespace,
    labels: { [MANAGED_BY]: MANAGER },
    annotations: {
      [CERTIFICATE]: certificate,
      [CERTIFICATE_VERSION]: target.version,
      [CERTIFICATE_SERIAL]: target.serial,
      [REVISION]: String(target.revision),
    },
  }
}

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, '    ')
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64')
}
