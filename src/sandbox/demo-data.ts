import { SANDBOX_SLACK_CHANNEL, SANDBOX_TEAMS_SECRET } from './chat-world.ts'
import type { Table } from './emulators/emulator.ts'
import { SANDBOX_GROUP } from './identities.ts'
import { LINKERD_CLUSTER } from './linkerd-cluster.ts'
import type { SandboxFile } from './sandbox-file.ts'

type Put = (path: string, body: object) => Promise<void>

/**
 * Registers what the demonstration starts from, by REST like everybody: a team, two clusters, a service; and the
 * cluster with Linkerd, where it is. Once: what people
 * remove stays away. `own` remembers it.
 */
export async function registerDemo(
  file: SandboxFile,
  own: Table,
  { linkerd }: { readonly linkerd: boolean } = { linkerd: false },
): Promise<void> {
  const put: Put = async (path, body) => {
    const response = await fetch(`${file.baseUrl}/api/v1${path}`, {
      method: 'PUT',
      headers: {
        authorization: `Bearer ${file.tokens.admin}`,
        'content-type': 'application/json',
        'if-none-match': '*',
      },
      body: JSON.stringify(body),
    })
    // 412: it is there from a start that did not come to its end.
    if (!response.ok && response.status !== 412)
      throw new Error(`PUT ${path}: ${response.status} ${await response.text()}`)
  }
  const once = async (key: string, register: () => Promise<void>) => {
    if (own.get(key) === 'registered') return
    await register()
    own.put(key, 'registered')
  }
  await once('demo', () => registerShop(file, put))
  if (linkerd) await once('demo-linkerd', () => putCluster(file, put, LINKERD_CLUSTER))
}

async function registerShop(file: SandboxFile, put: Put): Promise<void> {
  await put('/teams/shop', {
    namespaces: ['shop'],
    hosts: ['*.example.com'],
    groups: [SANDBOX_GROUP],
    chat: { channel: SANDBOX_SLACK_CHANNEL, teamsSecret: SANDBOX_TEAMS_SECRET },
  })
  for (const cluster of ['east', 'west']) await putCluster(file, put, cluster)
  await put('/services/shop/web', {
    team: 'shop',
    ports: [{ name: 'http', port: 80, protocol: 'http' }],
    versions: { v1: { labels: { version: 'v1' } }, v2: { labels: { version: 'v2' } } },
    initialVersion: 'v1',
    clusters: ['east', 'west'],
  })
}

function putCluster(file: SandboxFile, put: Put, cluster: string): Promise<void> {
  return put(`/clusters/${cluster}`, {
    kubeconfig: { context: cluster },
    labels: { env: 'demo' },
    metrics: { prometheus: { url: `${file.prometheus}/${cluster}` }, delay: '1s', every: '2s' },
  })
}
