import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createDefaultHttpClient, type HttpClient } from '@azure/core-rest-pipeline'
import { createHttpServer } from '@vercel/cosmosdb-server'

export const VERCEL_KEY = 'C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2nQ9nDuVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw/Jw=='

export interface VercelCosmos {
  readonly endpoint: string
  readonly httpClient: HttpClient
  close(): Promise<void>
}

/** @vercel/cosmosdb-server on a free port: a Cosmos DB written by others. */
export async function startVercelCosmos(): Promise<VercelCosmos> {
  const server: Server = createHttpServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    endpoint: `http://127.0.0.1:${port}`,
    httpClient: readsOfMissingItems(createDefaultHttpClient()),
    close: () => new Promise((resolve) => void server.close(() => resolve())),
  }
}

/** The server fails with a TypeError on the read of a missing item, unless the request crosses partitions. */
function readsOfMissingItems(inner: HttpClient): HttpClient {
  return {
    sendRequest(request) {
      if (request.method === 'GET') request.headers.set('x-ms-documentdb-query-enablecrosspartition', 'true')
      return inner.sendRequest(request)
    },
  }
}
