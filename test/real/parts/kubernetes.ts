import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { parseAllDocuments } from 'yaml'
import { until } from './wait.ts'

/** Any Kubernetes object, as the API takes it. */
export interface KubernetesObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [field: string]: unknown }
  readonly [field: string]: unknown
}

/** An answer of the API server; `body` is parsed JSON (or text where it is none). */
export interface KubernetesAnswer {
  readonly status: number
  readonly body: unknown
}

/** A cluster-admin's hand, by HTTP: what a test does to a cluster besides Meshwright. Shares nothing with the product's client. */
export interface KubernetesAdmin {
  /** One request. `path` begins with `/api`; `contentType` is that of the body. */
  call(method: string, path: string, body?: unknown, contentType?: string): Promise<KubernetesAnswer>
  /** Server-side apply, forced, in the given order. Takes objects or YAML text. Throws on the first refusal. */
  apply(objects: string | readonly KubernetesObject[], fieldManager?: string): Promise<void>
  /** Reads one object; undefined if it is not there. */
  get(ref: KubernetesObject): Promise<KubernetesObject | undefined>
  /** Deletes one object; one that is not there is fine. */
  remove(ref: KubernetesObject): Promise<void>
  /** Merges a patch into an object's status. */
  patchStatus(ref: KubernetesObject, status: unknown): Promise<void>
  /** Applies CRDs from YAML files and waits until every one is established. */
  installCrds(files: readonly string[]): Promise<void>
}

/** Connects to an API server at `url` with a bearer token, trusting `ca` (PEM). */
export function kubernetesAdmin(server: { url: string; token: string; ca: string }): KubernetesAdmin {
  const agent = new Agent({ keepAlive: true, maxSockets: 8, ca: server.ca })
  const paths = new Map<string, Promise<Resource>>()
  const call: KubernetesAdmin['call'] = (method, path, body, contentType = 'application/json') =>
    send({ agent, url: `${server.url}${path}`, token: server.token, method, body, contentType })
  const must = async (method: string, path: string, body?: unknown, contentType?: string) => {
    const answer = await call(method, path, body, contentType)
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body
  }
  const pathOf = async (object: KubernetesObject) => {
    const key = `${object.apiVersion} ${object.kind}`
    const resource = paths.get(key) ?? findResource(must, object)
    paths.set(key, resource)
    resource.catch(() => paths.delete(key))
    return objectPath(object, await resource)
  }
  const admin: KubernetesAdmin = {
    call,
    async apply(objects, fieldManager = 'harness') {
      for (const object of typeof objects === 'string' ? parseObjects(objects) : objects) {
        const query = `?fieldManager=${fieldManager}&force=true&fieldValidation=Strict`
        await must('PATCH', (await pathOf(object)) + query, object, 'application/apply-patch+yaml')
      }
    },
    async get(ref) {
      const answer = await call('GET', await pathOf(ref))
      return answer.status === 200 ? (answer.body as KubernetesObject) : undefined
    },
    async remove(ref) {
      const answer = await call('DELETE', await pathOf(ref))
      if (answer.status >= 300 && answer.status !== 404) throw new Error(`DELETE: ${JSON.stringify(answer.body)}`)
    },
    async patchStatus(ref, status) {
      await must('PATCH', `${await pathOf(ref)}/status`, { status }, 'application/merge-patch+json')
    },
    async installCrds(files) {
      const crds = files.flatMap((file) => parseObjects(readFileSync(file, 'utf8')))
      await admin.apply(crds)
      for (const crd of crds)
        await until(`CRD ${crd.metadata.name} is established`, 30_000, () => established(admin, crd))
    },
  }
  return admin
}

/** The objects of a YAML text with several documents; empty documents are left out. */
export function parseObjects(yaml: string): KubernetesObject[] {
  return parseAllDocuments(yaml)
    .map((document) => document.toJS() as KubernetesObject | null)
    .filter((object) => object !== null)
}

interface Resource {
  readonly name: string
  readonly namespaced: boolean
}

function groupPath(apiVersion: string): string {
  return apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
}

async function findResource(
  must: (method: string, path: string) => Promise<unknown>,
  object: KubernetesObject,
): Promise<Resource> {
  const list = (await must('GET', groupPath(object.apiVersion))) as { resources: (Resource & { kind: string })[] }
  const found = list.resources.find((one) => one.kind === object.kind && !one.name.includes('/'))
  if (!found) throw new Error(`the API server knows no ${object.apiVersion} ${object.kind}`)
  return found
}

function objectPath(object: KubernetesObject, resource: Resource): string {
  const namespace = resource.namespaced ? `/namespaces/${object.metadata.namespace ?? 'default'}` : ''
  return `${groupPath(object.apiVersion)}${namespace}/${resource.name}/${encodeURIComponent(object.metadata.name)}`
}

async function established(admin: KubernetesAdmin, crd: KubernetesObject): Promise<boolean> {
  const status = (await admin.get(crd))?.status as { conditions?: { type: string; status: string }[] } | undefined
  return status?.conditions?.some((one) => one.type === 'Established' && one.status === 'True') ?? false
}

interface Sending {
  readonly agent: Agent
  readonly url: string
  readonly token: string
  readonly method: string
  readonly body: unknown
  readonly contentType: string
}

function send(sending: Sending): Promise<KubernetesAnswer> {
  const { agent, url, token, method, body, contentType } = sending
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, accept: 'application/json', 'content-type': contentType }
    const outgoing = request(url, { agent, method, headers, timeout: 20_000 }, (incoming) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('error', reject)
      incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, body: parsed(Buffer.concat(chunks)) }))
    })
    outgoing.on('timeout', () => outgoing.destroy(new Error(`${method} ${url}: no answer in 20 s`)))
    outgoing.on('error', reject)
    outgoing.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

function parsed(bytes: Buffer): unknown {
  const text = bytes.toString('utf8')
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
