export interface Answer {
  readonly status: number
  readonly headers: Headers
  /** Empty when the answer was no JSON. */
  readonly body: Body
  readonly text: string
}

/** What an answer of the API server may hold; which of it an answer does hold is for the cases to find out. */
export interface Body {
  readonly kind: string
  readonly apiVersion: string
  readonly metadata: Metadata
  readonly spec: Fields
  /** Of an object. A `Status` has a word here. */
  readonly status: Fields
  readonly data: Fields
  readonly code: number
  readonly reason: string
  readonly message: string
  readonly details: { readonly causes: readonly { reason: string; message: string; field: string }[] }
  readonly items: readonly Body[]
  readonly groups: readonly { readonly name: string }[]
  readonly resources: readonly { readonly name: string; readonly verbs: readonly string[] }[]
  readonly gitVersion: string
  readonly major: string
  readonly minor: string
}

export interface Metadata {
  readonly name: string
  readonly namespace: string
  readonly uid: string
  readonly resourceVersion: string
  readonly creationTimestamp: string
  readonly deletionTimestamp: string
  readonly generation: number
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly managedFields: readonly ManagedFieldsEntry[]
  readonly continue: string
  readonly remainingItemCount: number
}

export interface ManagedFieldsEntry {
  readonly manager: string
  readonly operation: string
  readonly subresource?: string
  readonly time?: string
  readonly fieldsV1: unknown
}

type Fields = Readonly<Record<string, unknown>>

export interface RequestInit {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** A Kubernetes API server to put questions to. */
export interface Connection {
  readonly baseUrl: string
  /** Sends with an administrator's token, unless `headers` has `authorization` (empty for none). */
  readonly request: (path: string, init?: RequestInit) => Promise<Response>
  /** Exists, and holds nothing of anybody else. */
  readonly namespace: string
}

export type Connect = () => Promise<Connection>

/** Sends and reads the answer. */
export async function send(connection: Connection, path: string, init: RequestInit = {}): Promise<Answer> {
  const response = await connection.request(path, init)
  const text = await response.text()
  const json = response.headers.get('content-type')?.startsWith('application/json') && text !== ''
  return { status: response.status, headers: response.headers, body: json ? JSON.parse(text) : {}, text }
}

export const applyType = 'application/apply-patch+yaml'
export const mergeType = 'application/merge-patch+json'
export const jsonPatchType = 'application/json-patch+json'

/** A request with a JSON body. */
export function sendJson(
  connection: Connection,
  method: string,
  path: string,
  body: unknown,
  type = 'application/json',
): Promise<Answer> {
  const headers = { 'content-type': type, 'user-agent': 'contract/1.0' }
  return send(connection, path, { method, headers, body: JSON.stringify(body) })
}

/** Where the objects of a kind lie in the connection's namespace. */
export const collections = {
  ConfigMap: (namespace: string) => `/api/v1/namespaces/${namespace}/configmaps`,
  Service: (namespace: string) => `/api/v1/namespaces/${namespace}/services`,
  Secret: (namespace: string) => `/api/v1/namespaces/${namespace}/secrets`,
  Pod: (namespace: string) => `/api/v1/namespaces/${namespace}/pods`,
  Deployment: (namespace: string) => `/apis/apps/v1/namespaces/${namespace}/deployments`,
  VirtualService: (namespace: string) => `/apis/networking.istio.io/v1/namespaces/${namespace}/virtualservices`,
  DestinationRule: (namespace: string) => `/apis/networking.istio.io/v1/namespaces/${namespace}/destinationrules`,
  ServiceEntry: (namespace: string) => `/apis/networking.istio.io/v1/namespaces/${namespace}/serviceentries`,
}

export type Kind = keyof typeof collections

export const apiVersions: Readonly<Record<Kind, string>> = {
  ConfigMap: 'v1',
  Service: 'v1',
  Secret: 'v1',
  Pod: 'v1',
  Deployment: 'apps/v1',
  VirtualService: 'networking.istio.io/v1',
  DestinationRule: 'networking.istio.io/v1',
  ServiceEntry: 'networking.istio.io/v1',
}

/** A whole object of a kind. */
export function objectOf(kind: Kind, name: string, parts: Record<string, unknown>): Record<string, unknown> {
  const { metadata, ...rest } = parts
  return { apiVersion: apiVersions[kind], kind, metadata: { name, ...(metadata as object | undefined) }, ...rest }
}
