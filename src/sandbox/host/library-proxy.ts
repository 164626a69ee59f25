import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { Agent, Server } from 'node:http'
import type { ProgrammingModel } from './core-types.ts'

/** The HTTP server that the library opens for streaming, and connections to it. */
export interface LibraryProxy {
  readonly target: URL
  readonly agent: Agent
  close(): Promise<void>
}

// What Azure's worker offers; the library adds `HttpUri` when the app asked for streaming.
const workerCapabilities: Readonly<Record<string, string>> = {
  RawHttpBodyBytes: 'true',
  RpcHttpTriggerMetadataRemoved: 'true',
  RpcHttpBodyOnly: 'true',
  IgnoreEmptyValuedRpcHttpHeaders: 'true',
  UseNullableValueDictionaryForHttp: 'true',
  WorkerStatus: 'true',
  TypedDataCollection: 'true',
  HandlesWorkerTerminateMessage: 'true',
}

/**
 * Asks the library for its capabilities, which ends the app's set-up. Gives the library's HTTP server when the app asked
 * for `enableHttpStream`, else undefined. The library never closes that server, so it is caught as it begins to listen.
 */
export async function openLibraryProxy(model: ProgrammingModel | undefined): Promise<LibraryProxy | undefined> {
  const caught: Server[] = []
  const channel = 'tracing:net.server.listen:asyncStart'
  const onListen = (message: unknown): void => {
    const { server } = message as { server: unknown }
    if (server instanceof Server) caught.push(server)
  }
  subscribe(channel, onListen)
  const capabilities = await Promise.resolve(model?.getCapabilities?.({ ...workerCapabilities })).finally(() =>
    unsubscribe(channel, onListen),
  )
  const uri = capabilities?.HttpUri
  if (!uri) return undefined
  const target = new URL(uri)
  // A connection a request: the server closes idle ones after five seconds, and when this process is busy at that moment,
  // a request that was sent on one is lost.
  const agent = new Agent({ keepAlive: false })
  return {
    target,
    agent,
    async close() {
      agent.destroy()
      for (const server of caught) await closeServer(server)
    },
  }
}

async function closeServer(server: Server): Promise<void> {
  if (!server.listening) return
  const closed = once(server, 'close')
  server.close()
  server.closeAllConnections()
  await closed
}
