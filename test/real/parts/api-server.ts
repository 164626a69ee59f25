import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { kubeconfigOf } from './kubeconfig.ts'
import { type KubernetesAdmin, kubernetesAdmin } from './kubernetes.ts'
import type { Parts } from './parts.ts'
import { type RunningProcess, startProcess } from './processes.ts'
import { freePort, until } from './wait.ts'

/** What to start. `crds` are YAML files whose CRDs are there and established when the start resolves. */
export interface ApiServerOptions {
  readonly parts: Parts
  /** A scratch folder; logs, certificates and etcd's data go into it. */
  readonly dir: string
  readonly crds?: readonly string[]
  /** Context name in the kubeconfig; `real` when left out. */
  readonly context?: string
  /** More arguments of kube-apiserver. */
  readonly args?: readonly string[]
}

/** A real kube-apiserver on its own etcd, on free ports of 127.0.0.1. There are no controllers and no kubelet. */
export interface ApiServer {
  readonly url: string
  /** A cluster-admin's bearer token. */
  readonly token: string
  /** The certificate authority of the server, PEM. */
  readonly ca: string
  readonly context: string
  readonly kubeconfigPath: string
  readonly admin: KubernetesAdmin
  stop(): Promise<void>
}

const TOKEN = 'admin-token'

/** Starts etcd and kube-apiserver (two to four seconds). Throws with the end of the log if one of them dies. */
export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { dir, context = 'real' } = options
  mkdirSync(dir, { recursive: true })
  const etcd = await startEtcd(options)
  const port = await freePort()
  const api = startKubeApiServer(options, etcd.url, port)
  const stop = async () => {
    await api.stop()
    await etcd.process.stop()
  }
  const url = `https://127.0.0.1:${port}`
  try {
    const ca = await until('kube-apiserver has written its certificate', 60_000, () => {
      etcd.process.assertAlive()
      api.assertAlive()
      // The key is written last: before it the certificate may be there by half.
      const [key, certificate] = ['key', 'crt'].map((end) => readFileSync(join(dir, `certs/apiserver.${end}`), 'utf8'))
      return key === '' ? null : certificate
    })
    const admin = kubernetesAdmin({ url, token: TOKEN, ca })
    await until('kube-apiserver is ready', 60_000, async () => {
      etcd.process.assertAlive()
      api.assertAlive()
      const ready = await admin.call('GET', '/readyz')
      return ready.status === 200 && (await admin.call('GET', '/api/v1/namespaces/default')).status === 200
    })
    await admin.installCrds(options.crds ?? [])
    const kubeconfigPath = join(dir, 'kubeconfig')
    writeFileSync(kubeconfigPath, kubeconfigOf([{ context, url, token: TOKEN, ca }]), { mode: 0o600 })
    return { url, token: TOKEN, ca, context, kubeconfigPath, admin, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function startEtcd(options: ApiServerOptions): Promise<{ url: string; process: RunningProcess }> {
  const url = `http://127.0.0.1:${await freePort()}`
  const peer = `http://127.0.0.1:${await freePort()}`
  const process = startProcess({
    dir: options.dir,
    name: 'etcd',
    command: options.parts.etcd,
    args: [
      `--data-dir=${join(options.dir, 'etcd')}`,
      `--listen-client-urls=${url}`,
      `--advertise-client-urls=${url}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=default=${peer}`,
      '--unsafe-no-fsync',
    ],
  })
  return { url, process }
}

function startKubeApiServer(options: ApiServerOptions, etcdUrl: string, port: number): RunningProcess {
  const { dir } = options
  const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' })
  writeFileSync(join(dir, 'service-accounts.key'), key, { mode: 0o600 })
  writeFileSync(join(dir, 'tokens.csv'), `${TOKEN},admin,1,system:masters\n`, { mode: 0o600 })
  // Without a default route (in the namespace of run.ts) it finds no address of its own to advertise.
  const advertise = process.env.MESHWRIGHT_REAL_NAMESPACE ? ['--advertise-address=10.77.0.10'] : []
  return startProcess({
    dir,
    name: 'kube-apiserver',
    command: options.parts.kubeApiServer,
    args: [
      ...advertise,
      `--etcd-servers=${etcdUrl}`,
      `--secure-port=${port}`,
      '--bind-address=127.0.0.1',
      `--cert-dir=${join(dir, 'certs')}`,
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-signing-key-file=${join(dir, 'service-accounts.key')}`,
      `--service-account-key-file=${join(dir, 'service-accounts.key')}`,
      `--token-auth-file=${join(dir, 'tokens.csv')}`,
      '--authorization-mode=RBAC',
      '--service-cluster-ip-range=10.0.0.0/24',
      // Nobody makes the default service accounts that it asks for.
      '--disable-admission-plugins=ServiceAccount',
      ...(options.args ?? []),
    ],
  })
}
