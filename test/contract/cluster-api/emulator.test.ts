import type { HttpLibrary } from '@kubernetes/client-node'
import { kubernetesClusters } from '../../../src/adapters/kubernetes/cluster-apis.ts'
import { systemClock } from '../../../src/adapters/system-clock.ts'
import { clusterSpec } from '../../../src/model/cluster.ts'
import type { Emulator } from '../../../src/sandbox/emulators/emulator.ts'
import { istioDefinitions } from '../../../src/sandbox/emulators/kubernetes/istio-definitions.ts'
import { kubernetesEmulator } from '../../../src/sandbox/emulators/kubernetes/kubernetes-emulator.ts'
import { serve } from '../../../src/sandbox/emulators/serve.ts'
import { memoryStorage } from '../../../src/sandbox/storage.ts'
import { kubernetesTransport } from '../../../src/sandbox/transports/kubernetes-transport.ts'
import { kubeconfigText } from './kubeconfig-text.ts'
import { clusterApiContract, type OpenedCluster } from './suite.ts'

const token = 'a-token'

clusterApiContract('the emulator in process', false, async () => {
  const emulator = emulated()
  return open(emulator, 'https://east.test', async () => {}, kubernetesTransport(emulator))
})

clusterApiContract('the emulator on a port', false, async () => {
  const emulator = emulated()
  const { url, close } = await serve(emulator, { port: 0 })
  return open(emulator, url, close)
})

function emulated(): Emulator {
  const context = { now: Date.now, random: Math.random, storage: memoryStorage() }
  const emulator = kubernetesEmulator(context, { tokens: { [token]: { user: 'admin', groups: ['system:masters'] } } })
  emulator.seed(istioDefinitions())
  return emulator.handle
}

async function open(
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
