import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ApiServer } from './api-server.ts'
import type { Parts } from './parts.ts'
import { startProcess } from './processes.ts'
import type { Site } from './site.ts'
import { until } from './wait.ts'

/** A real istiod outside the cluster, with a plug-in certificate authority, on the ports that it has everywhere (moved on the second site). */
export interface Istiod {
  /** The folder whose four PEM files istiod watches, as it does under the Key Vault CSI mount on AKS. */
  readonly authorityDir: string
  /** The root that sidecars trust at their start. */
  readonly rootCertificate: string
  /** `host:port` at which sidecars find it. */
  readonly discoveryAddress: string
  /** `host:port` of its own metrics. */
  readonly metricsAddress: string
  stop(): Promise<void>
}

/** The host in istiod's certificate; namespace.sh makes it 127.0.0.1. */
export const ISTIOD_HOST = 'istiod.istio-system.svc'

/**
 * Starts istiod on an API server that has Istio's CRDs. It must run in the namespace of run.ts (fixed ports).
 * Upstream Envoy lacks Istio's own filters (metadata exchange, ALPN): istiod is told to leave them out.
 */
export async function startIstiod(options: {
  parts: Parts
  dir: string
  api: ApiServer
  site: Site
  /** PEM file with certificates of issuers of tokens, whose keys it fetches. */
  issuers?: string
  /** As Go writes durations; an hour and more when left out. */
  workloadTtl?: string
}): Promise<Istiod> {
  const { parts, dir, api, site, issuers, workloadTtl } = options
  const at = (usualPort: number) => `127.0.0.1:${site.port(usualPort)}`
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
      `--monitoringAddr=${at(15_014)}`,
      `--grpcAddr=${at(15_010)}`,
      `--secureGRPCAddr=${at(15_012)}`,
      `--httpsAddr=${at(15_017)}`,
      `--httpAddr=${at(15_080)}`,
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
      ...(workloadTtl === undefined ? {} : { DEFAULT_WORKLOAD_CERT_TTL: workloadTtl }),
      ...(issuers === undefined ? {} : { SSL_CERT_FILE: issuers }),
    },
  })
  try {
    await until('istiod is ready', 60_000, async () => {
      process.assertAlive()
      return (await fetch(`http://${at(15_080)}/ready`)).ok
    })
  } catch (error) {
    await process.stop()
    throw error
  }
  return {
    authorityDir,
    rootCertificate: join(authorityDir, 'root-cert.pem'),
    discoveryAddress: `${ISTIOD_HOST}:${site.port(15_012)}`,
    metricsAddress: at(15_014),
    stop: () => process.stop(),
  }
}
