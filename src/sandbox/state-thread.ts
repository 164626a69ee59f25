import { parentPort, workerData } from 'node:worker_threads'
import { stateServices } from './azure-services.ts'
import type { EmulatorResponse } from './emulators/emulator.ts'
import { serve } from './emulators/serve.ts'
import type { Answer, Call, Started } from './state-calls.ts'
import { sqliteStorage } from './storage.ts'

/** The thread of `state-services.ts`: the emulators of Cosmos DB and of queues, on ports and for its parent's calls. */
async function main(file: string): Promise<void> {
  const port = parentPort
  if (!port) throw new Error('this is no program of its own')
  const storage = sqliteStorage(file)
  const services = stateServices({ now: Date.now, random: Math.random, storage })
  const [cosmos, queues] = await Promise.all([serve(services.cosmos, { port: 0 }), serve(services.queues, { port: 0 })])
  const answer = async ({ id, service, href, ...request }: Call): Promise<void> => {
    try {
      const response = await services[service]({ ...request, url: new URL(href) })
      port.postMessage({ id, response: copied(response) } satisfies Answer)
    } catch (error) {
      port.postMessage({ id, error: String(error) } satisfies Answer)
    }
  }
  port.on('message', async (message: Call | 'stop') => {
    if (message !== 'stop') return answer(message)
    await Promise.all([cosmos.close(), queues.close()])
    storage.close()
    port.close()
  })
  port.postMessage({ cosmos: cosmos.url, queues: queues.url } satisfies Started)
}

/** A view of a pool would take all of it along. */
function copied(response: EmulatorResponse): EmulatorResponse {
  return typeof response.body === 'string' ? response : { ...response, body: Uint8Array.from(response.body) }
}

await main((workerData as { readonly file: string }).file)
