import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Document, isMap, isSeq, Document as YamlDocument } from 'yaml'
import { requireProvider } from '../src/mesh/registry.ts'
import type { MeshFacts, ProviderName } from '../src/model/cluster.ts'
import type { GatewaySpec } from '../src/model/gateway.ts'
import type { KubeObject } from '../src/model/kube.ts'
import { serviceSpec } from '../src/model/service.ts'

/** Writes into docs/policy.md what each mesh gets for a policy. A test holds the two together. */
const FILE = join(import.meta.dirname, '..', 'docs', 'policy.md')
const [BEGIN, END] = ['<!-- node scripts/policy-examples.ts writes from here -->\n', '<!-- to here -->\n']

interface Example {
  readonly mesh: MeshFacts
  readonly title: string
  /** What is worth a look in what the mesh gets. */
  readonly note: string
  /** Of the service's body. */
  readonly policy: Readonly<Record<string, unknown>>
  readonly gateways?: Readonly<Record<string, GatewaySpec>>
}

const LABELS = { workload: { labels: { app: 'web' } } }

const EXAMPLES: readonly Example[] = [
  {
    mesh: { provider: 'istio' },
    title: 'Istio',
    note: 'Versions are subsets. What may not be done twice has a route without those retries.',
    policy: {
      traffic: { timeout: '5s', retries: { attempts: 2 } },
      ...LABELS,
      security: {
        mtls: 'strict',
        authorization: {
          allow: [{ name: 'cart', serviceAccounts: ['shop/cart'], methods: ['GET'], paths: ['/items/*'] }],
        },
      },
    },
  },
  {
    mesh: { provider: 'linkerd' },
    title: 'Linkerd',
    note: 'Each version has a Service of its own. Requests of every method are tried again; who calls is told by the identity of their proxy, at the port of the Pods.',
    policy: {
      ports: [{ name: 'http', port: 80, protocol: 'http', targetPort: 8080 }],
      traffic: { timeout: '5s', retries: { attempts: 2, on: ['gateway-error'], nonIdempotent: true } },
      ...LABELS,
      security: { mtls: 'strict', authorization: { allow: [{ name: 'cart', serviceAccounts: ['shop/cart'] }] } },
    },
  },
  {
    mesh: { provider: 'consul' },
    title: 'Consul',
    note: 'Versions are subsets, by an annotation of their Pods; each object waits until Consul has taken what it refers to.',
    policy: {
      traffic: { timeout: '5s', retries: { attempts: 2 } },
      security: {
        authorization: {
          allow: [{ name: 'cart', serviceAccounts: ['shop/cart'], methods: ['GET'], paths: ['/items/*'] }],
        },
      },
    },
  },
  {
    mesh: { provider: 'osm', permissive: false },
    title: 'Open Service Mesh',
    note: 'Each version has a Service and a service account of its own.',
    policy: {
      versions: {
        v1: { labels: { version: 'v1' }, serviceAccount: 'web-v1' },
        v2: { labels: { version: 'v2' }, serviceAccount: 'web-v2' },
      },
      ...LABELS,
      traffic: { connections: { maxConnections: 100 }, rateLimit: { requests: 50, per: 'second' } },
      security: {
        authorization: {
          allow: [{ name: 'cart', serviceAccounts: ['shop/cart'], methods: ['GET'], paths: ['/items/*'] }],
        },
      },
    },
  },
  {
    mesh: { provider: 'gateway-api', gatewayApi: { bundle: 'v1.5.1', channel: 'standard' } },
    title: 'Gateway API',
    note: 'At a gateway that `mesh.gateways` of the cluster names; each version has a Service of its own.',
    policy: {
      ...LABELS,
      exposure: [{ gateway: 'external', host: 'web.example.com' }],
      traffic: {
        timeout: '5s',
        routes: [{ name: 'old', match: [{ path: { exact: '/old' } }], redirect: { path: '/new', status: 301 } }],
      },
    },
    gateways: { external: { namespace: 'gateways', name: 'public' } },
  },
]

/** The part of the page that is written here. */
export function examplesPart(): string {
  return EXAMPLES.map(words).join('\n')
}

/** The page with that part in its place. */
export function withExamples(page: string): string {
  const [before, rest] = page.split(BEGIN)
  const after = rest?.split(END)[1]
  if (before === undefined || after === undefined) throw new Error(`docs/policy.md has no ${BEGIN.trim()}`)
  return `${before}${BEGIN}\n${examplesPart()}\n${END}${after}`
}

function words({ mesh, title, note, policy, gateways }: Example): string {
  const objects = rendered(mesh, policy, gateways).map(shown)
  return `### ${title}\n\n${note}\n\n\`\`\`json\n${json(policy)}\n\`\`\`\n\n\`\`\`yaml\n${objects.join('---\n')}\`\`\`\n`
}

/** What the mesh gets for shop/web while a tenth of the requests goes to v2. */
function rendered(
  mesh: MeshFacts,
  policy: Example['policy'],
  gateways: Example['gateways'] = {},
): readonly KubeObject[] {
  const spec = serviceSpec.parse({
    team: 'shop',
    ports: [{ name: 'http', port: 80, protocol: 'http' }],
    versions: { v1: { labels: { version: 'v1' } }, v2: { labels: { version: 'v2' } } },
    initialVersion: 'v1',
    clusters: ['east'],
    ...policy,
  })
  const provider = requireProvider(mesh.provider as ProviderName)
  if (!provider.ok) throw new Error(provider.failure.detail)
  const weights = { v1: 90, v2: 10 }
  const input = { namespace: 'shop', name: 'web', spec, policy: spec, mesh, gateways, renderRevision: 1, weights }
  const result = provider.value.render(input)
  if (!result.ok) throw new Error(`${mesh.provider}: ${JSON.stringify(result.failure)}`)
  return result.steps.map(({ object }) => object)
}

/** Without what every object of ours bears. */
function shown({ metadata: { name, annotations }, ...object }: KubeObject): string {
  const own = Object.entries(annotations ?? {}).filter(([key]) => !key.startsWith('meshwright.io/'))
  const metadata = { name, ...(own.length > 0 ? { annotations: Object.fromEntries(own) } : {}) }
  const { apiVersion, kind, ...rest } = object
  const document = new YamlDocument({ apiVersion, kind, metadata, ...rest })
  short(document)
  return document.toString({ lineWidth: 0, flowCollectionPadding: true })
}

const WIDTH = 110

/** What fits in a line stands in one. */
function short(document: Document): void {
  const fold = (node: unknown): void => {
    if (!isMap(node) && !isSeq(node)) return
    if (JSON.stringify(node.toJSON()).length < WIDTH) {
      node.flow = true
      return
    }
    for (const item of node.items) fold(isMap(node) ? (item as { value: unknown }).value : item)
  }
  if (isMap(document.contents)) for (const { value } of document.contents.items) fold(value)
}

function json(value: unknown, indent = ''): string {
  const line = JSON.stringify(value, undefined, 1).replaceAll(/\n\s*/g, ' ').replaceAll('[ ', '[').replaceAll(' ]', ']')
  if (typeof value !== 'object' || value === null || Array.isArray(value) || (indent && line.length < WIDTH))
    return line
  const fields = Object.entries(value).map(([key, field]) => `${indent}  "${key}": ${json(field, `${indent}  `)}`)
  return `{\n${fields.join(',\n')}\n${indent}}`
}

if (import.meta.main) writeFileSync(FILE, withExamples(readFileSync(FILE, 'utf8')))
