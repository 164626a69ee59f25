import { request as httpsRequest } from 'node:https'
import { istioDefinitions } from '../../../src/sandbox/emulators/kubernetes/istio-definitions.ts'
import type { KubernetesEmulator } from '../../../src/sandbox/emulators/kubernetes/kubernetes-emulator.ts'
import { kubernetesEmulator } from '../../../src/sandbox/emulators/kubernetes/kubernetes-emulator.ts'
import { memoryStorage } from '../../../src/sandbox/storage.ts'
import type { Connection, RequestInit } from './client.ts'
import { sendJson } from './client.ts'
import { drawFrom } from './differential.ts'

/** Calls an emulator of its own, with Istio's definitions and a fixed clock. */
export async function connectEmulator(): Promise<Connection> {
  const draw = drawFrom(1)
  const context = { now: () => 1_700_000_000_000, random: () => draw(2 ** 31) / 2 ** 31, storage: memoryStorage() }
  const emulator = kubernetesEmulator(context, { tokens: { secret: { user: 'admin', groups: ['system:masters'] } } })
  emulator.seed([...istioDefinitions(), { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'contract' } }])
  return toEmulator(emulator, 'secret', 'contract')
}

/** Calls an emulator in process. */
export function toEmulator(emulator: KubernetesEmulator, token: string, namespace: string): Connection {
  const baseUrl = 'https://emulated'
  return {
    baseUrl,
    namespace,
    async request(path, init = {}) {
      const { status, headers, body } = await emulator.handle({
        method: init.method ?? 'GET',
        url: new URL(path, baseUrl),
        headers: withToken(init, token),
        body: new TextEncoder().encode(init.body ?? ''),
      })
      return new Response(typeof body === 'string' ? body : new Uint8Array(body), { status, headers })
    },
  }
}

/** Makes a namespace of its own on a real API server and calls that. */
export async function connectServer(baseUrl: string, token: string): Promise<Connection> {
  const connection = toServer(baseUrl, token, `contract-${process.pid}-${Date.now()}`)
  const made = await sendJson(connection, 'POST', '/api/v1/namespaces', { metadata: { name: connection.namespace } })
  if (made.status !== 201) throw new Error(`no namespace to work in: ${JSON.stringify(made.body)}`)
  return connection
}

/** Calls a real API server whose certificate nobody here knows. */
export function toServer(baseUrl: string, token: string, namespace: string): Connection {
  return {
    baseUrl,
    namespace,
    request: (path, init = {}) => call(new URL(path, baseUrl), init, withToken(init, token)),
  }
}

function withToken({ headers = {} }: RequestInit, token: string): Record<string, string> {
  const { authorization = `Bearer ${token}`, ...rest } = headers
  return authorization ? { ...rest, authorization } : rest
}

function call(url: URL, init: RequestInit, given: Record<string, string>): Promise<Response> {
  const body = Buffer.from(init.body ?? '')
  // Node sends no length with the body of a DELETE unless told to, and the server would read it as the next request.
  const headers = body.length > 0 ? { ...given, 'content-length': String(body.length) } : given
  return new Promise((resolve, reject) => {
    const request = httpsRequest(
      url,
      { method: init.method ?? 'GET', headers, rejectUnauthorized: false, servername: 'localhost' },
      (response) => {
        const chunks: Uint8Array[] = []
        response.on('data', (chunk: Uint8Array) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const entries = Object.entries(response.headers).map(([name, value]): [string, string] => [
            name,
            String(value),
          ])
          const answer = chunks.length > 0 ? Buffer.concat(chunks) : null
          resolve(new Response(answer, { status: response.statusCode ?? 0, headers: entries }))
        })
      },
    )
    request.on('error', reject)
    request.end(body)
  })
}
