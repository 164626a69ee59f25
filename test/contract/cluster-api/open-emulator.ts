import type { HttpLibrary } from '@kubernetes/client-node'
import { kubernetesClusters } from '../../../src/adapters/kubernetes/cluster-apis.ts'
import { systemClock } from '../../../src/adapters/system-clock.ts'
import { clusterSpec } from '../../../src/model/cluster.ts'
import type { Emulator } from '../../../src/sandbox/emulators/emulator.ts'
import { istioDefinitions } from '../../../src/sandbox/emulators/kubernetes/istio-definitions.ts'
import { kubernetesEmulator } from '../../../src/sandbox/emulators/kubernetes/kubernetes-emulator.ts'
import { memoryStorage } from '../../../src/sandbox/storage.ts'
import { kubeconfigText } from './kubeconfig-text.ts'
import type { OpenedCluster } from './suite.ts'

const token = 'a-token'

/** An emulated API server with Istio's definitions. */
export function emulated(): Emulator {
  const context = { now: Date.now, random: Math.random, storage: memoryStorage() }
  const emulator = kubernetesEmulator(context, { tokens: { [token]: { user: 'admin', groups: ['system:masters'] } } })
  emulator.seed(istioDefinitions())
  return emulator.handle
}

/** Meshwright's client for it, and how others send requests to it. */
export async function openEmulator(
  emulator: Emulator,
  server: string,
  close: () => Promise<void>,
  http?: HttpLibrary,
): Promise<OpenedCluster> {
  const kubeconfig = { text: kubeconfigText(server, token, server.startsWith('http:')) }
  const clusters = kubernetesClusters({ kubeconfig, ...(http ? { http } : {}) }, systemClock())
  const spec = clusterSpec.parse({ kubeconfig: { context: 'east' } })
  return {
    api: await clusters.connect({ name: 'east', spec }),
    async request(method, path, body, contentType = 'application/json') {
      const answer = await emulator({
        method,
        url: new URL(path, 'https://east.test'),
        headers: { authorization: `Bearer ${token}`, 'content-type': contentType },
        body: new TextEncoder().encode(body === undefined ? '' : JSON.stringify(body)),
      })
      return { status: answer.status, body: JSON.parse(String(answer.body)) }
    },
    close,
  }
}
