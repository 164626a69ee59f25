import { SANDBOX_SLACK_CHANNEL, SANDBOX_TEAMS_SECRET } from './chat-world.ts'
import type { Table } from './emulators/emulator.ts'
import { SANDBOX_GROUP } from './identities.ts'
import type { SandboxFile } from './sandbox-file.ts'

/**
 * Registers what the demonstration starts from, by REST like everybody: a team, two clusters, a service. Once: what people
 * remove stays away. `own` remembers it.
 */
export async function registerDemo(file: SandboxFile, own: Table): Promise<void> {
  if (own.get('demo') === 'registered') return
  const put = async (path: string, body: object): Promise<void> => {
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
  await put('/teams/shop', {
    namespaces: ['shop'],
    hosts: ['*.example.com'],
    groups: [SANDBOX_GROUP],
    chat: { channel: SANDBOX_SLACK_CHANNEL, teamsSecret: SANDBOX_TEAMS_SECRET },
  })
  for (const cluster of ['east', 'west']) {
    await put(`/clusters/${cluster}`, {
      kubeconfig: { context: cluster },
      labels: { env: 'demo' },
      metrics: { prometheus: { url: `${file.prometheus}/${cluster}` }, delay: '1s', every: '2s' },
    })
  }
  await put('/services/shop/web', {
    team: 'shop',
    ports: [{ name: 'http', port: 80, protocol: 'http' }],
    versions: { v1: { labels: { version: 'v1' } }, v2: { labels: { version: 'v2' } } },
    initialVersion: 'v1',
    clusters: ['east', 'west'],
  })
  own.put('demo', 'registered')
}
