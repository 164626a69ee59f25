import { request as httpsRequest } from 'node:https'
import type { KubernetesEmulator } from '../../../src/sandbox/emulators/kubernetes/kubernetes-emulator.ts'
import type { Connection, RequestInit } from './client.ts'

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

function call(url: URL, init: RequestInit, headers: Record<string, string>): Promise<Response> {
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
          const body = chunks.length > 0 ? Buffer.concat(chunks) : null
          resolve(new Response(body, { status: response.statusCode ?? 0, headers: entries }))
        })
      },
    )
    request.on('error', reject)
    request.end(init.body ?? '')
  })
}
