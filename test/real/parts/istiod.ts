import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ApiServer } from './api-server.ts'
import type { Parts } from './parts.ts'
import { startProcess } from './processes.ts'
import { until } from './wait.ts'

/** A real istiod outside the cluster, with a plug-in certificate authority, on the ports that it has everywhere. */
export interface Istiod {
  /** The folder whose four PEM files istiod watches, as it does under the Key Vault CSI mount on AKS. */
  readonly authorityDir: string
  /** The root that sidecars trust at their start. */
  readonly rootCertificate: string
  /** `host:port` of its own metrics. */
  readonly metricsAddress: string
  stop(): Promise<void>
}

/**
 * Starts istiod on an API server that has Istio's CRDs. It must run in the namespace of run.ts (fixed ports).
 * Upstream Envoy lacks Istio's own filters (metadata exchange, ALPN): istiod is told to leave them out.
 */
export async function startIstiod(options: { parts: Parts; dir: string; api: ApiServer }): Promise<Istiod> {
  const { parts, dir, api } = options
  mkdirSync(dir, { recursive: true })
  execFileSync('bash', [join(import.meta.dirname, 'authority.sh'), dir, 'authority'])
  const authorityDir = join(dir, 'authority')
  const meshConfig = join(dir, 'mesh.json')
  writeFileSync(
    meshConfig,
    JSON.stringify({ enableAutoMtls: true, rootNamespace: 'istio-system', trustDomain: 'cluster.local' }),
  )
  await api.admin.apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'istio-system' } }])
  const process = startProcess({
    dir,
    name: 'istiod',
    command: parts.istiod,
    args: [
      'discovery',
      `--kubeconfig=${api.kubeconfigPath}`,
      `--meshConfig=${meshConfig}`,
      '--monitoringAddr=127.0.0.1:15014',
      '--grpcAddr=127.0.0.1:15010',
      '--secureGRPCAddr=127.0.0.1:15012',
      '--httpsAddr=127.0.0.1:15017',
      '--httpAddr=127.0.0.1:15080',
      '--ctrlz_port=0',
    ],
    env: {
      ROOT_CA_DIR: authorityDir,
      ISTIO_MULTIROOT_MESH: 'true',
      PILOT_ENABLE_METADATA_EXCHANGE: 'false',
      PILOT_ENABLE_ALPN_FILTER: 'false',
      PILOT_DISABLE_MX_ALPN: 'true',
      PILOT_CERT_PROVIDER: 'istiod',
      POD_NAMESPACE: 'istio-system',
    },
  })
  try {
    await until('istiod is ready', 60_000, async () => {
      process.assertAlive()
      return (await fetch('http://127.0.0.1:15080/ready')).ok
    })
  } catch (error) {
    await process.stop()
    throw error
  }
  return {
    authorityDir,
    rootCertificate: join(authorityDir, 'root-cert.pem'),
    metricsAddress: '127.0.0.1:15014',
    stop: () => process.stop(),
  }
}
