import { systemClock } from '../../../src/adapters/system-clock.ts'
import { type App, createApp } from '../../../src/app.ts'
import type { HttpRequest, HttpResponse } from '../../../src/http/message.ts'
import type { Emulator } from '../../../src/sandbox/emulators/emulator.ts'
import type { SandboxPerson } from '../../../src/sandbox/identities.ts'
import { memoryStorage } from '../../../src/sandbox/storage.ts'
import { fetchTransport } from '../../../src/sandbox/transports/fetch-transport.ts'
import { kubernetesTransport } from '../../../src/sandbox/transports/kubernetes-transport.ts'
import { pipelineTransport } from '../../../src/sandbox/transports/pipeline-transport.ts'
import { storageTransport } from '../../../src/sandbox/transports/storage-transport.ts'
import { routeByHost } from '../../../src/sandbox/transports/wire.ts'
import { loadTelemetry, type Telling } from '../../../src/start-telemetry.ts'
import { credentialOver } from '../../simulation/app-tokens.ts'
import { createInfrastructure } from '../../simulation/infrastructure.ts'
import {
  createSurroundings,
  createTenant,
  kubernetesHost,
  prometheusUrl,
  START_MS,
  secretsOf,
  settingsFor,
} from '../../simulation/surroundings.ts'

/** The app over emulators in this process, without sockets; messages go to workers when the test says so. */
export interface ObservedWorld {
  readonly app: App
  readonly log: readonly string[]
  /** What must be in nothing that leaves the process. */
  readonly secrets: readonly string[]
  call(as: SandboxPerson, method: string, path: string, body?: unknown, headers?: object): Promise<HttpResponse>
  /** Gives every message that is there now to the app. */
  work(): Promise<void>
  /** Texts of messages that wait for a worker. */
  readonly messages: string[]
}

/** `told`: the app tells of itself as it does in production; by itself to who has registered an SDK, and to `log`. */
export async function createObservedWorld(told?: Telling['overrides']): Promise<ObservedWorld> {
  const tenant = await createTenant()
  const real = systemClock()
  const began = real.now()
  const clock = { now: () => START_MS + real.now() - began, sleep: real.sleep }
  const surroundings = await createSurroundings(
    { now: clock.now, random: () => 0.5, storage: memoryStorage() },
    ['east'],
    tenant,
    {},
  )
  await createInfrastructure(surroundings)
  const messages: string[] = []
  const log: string[] = []
  const [east] = [...surroundings.clusters.values()]
  if (!east) throw new Error('no cluster')
  const app = createApp(settingsFor(['east'], false), {
    clock,
    credential: credentialOver(surroundings.identity),
    telemetry: told?.telemetry ?? (await loadTelemetry()),
    cosmosHttp: pipelineTransport(surroundings.cosmos),
    queueHttp: storageTransport(overheard(surroundings.queues, messages)),
    kubernetesHttp: kubernetesTransport(routeByHost({ [kubernetesHost('east')]: east.api })),
    fetch: fetchTransport(
      routeByHost({ [new URL(prometheusUrl('east')).host]: east.prometheus, 'entra.test': surroundings.entra }),
    ),
    lookup: async () => ['10.1.2.3'],
    logSink(level, line) {
      log.push(line)
      told?.logSink(level, line)
    },
  })
  return {
    app,
    log,
    messages,
    secrets: secretsOf(tenant),
    call: (as, method, path, body, headers = {}) => app.http(requestOf(tenant.tokens[as], method, path, body, headers)),
    async work() {
      for (const message of messages.splice(0)) await app.work(message)
    },
  }
}

/** The queues, and what is put into them to be done at once. */
function overheard(queues: Emulator, messages: string[]): Emulator {
  return async (request) => {
    const text = /<MessageText>(.*)<\/MessageText>/s.exec(new TextDecoder().decode(request.body))?.[1]
    const isDelayed = (request.url.searchParams.get('visibilitytimeout') ?? '0') !== '0'
    if (text !== undefined && !isDelayed) messages.push(text.replaceAll('&quot;', '"').replaceAll('&amp;', '&'))
    return queues(request)
  }
}

function requestOf(token: string, method: string, path: string, body: unknown, headers: object): HttpRequest {
  const [pathname = '', query = ''] = `/api/v1${path}`.split('?')
  return {
    method,
    path: pathname,
    query: new URLSearchParams(query),
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
    baseUrl: 'https://mesh.example',
    body: async () => new TextEncoder().encode(body === undefined ? '' : JSON.stringify(body)),
  }
}
