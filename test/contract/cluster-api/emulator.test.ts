import { kubernetesClusters } from '../../../src/adapters/kubernetes/cluster-apis.ts'
import { systemClock } from '../../../src/adapters/system-clock.ts'
import { clusterSpec } from '../../../src/model/cluster.ts'
import { kubernetesEmulator } from '../../../src/sandbox/emulators/kubernetes/kubernetes-emulator.ts'
import { istioDefinitions } from '../../../src/sandbox/emulators/kubernetes/mesh-definitions.ts'
import { memoryStorage } from '../../../src/sandbox/storage.ts'
import { kubernetesTransport } from '../../../src/sandbox/transports/kubernetes-transport.ts'
import { kubeconfigText } from './kubeconfig-text.ts'
import { clusterApiContract } from './suite.ts'

clusterApiContract('the emulator', false, async () => {
  const context = { now: Date.now, random: Math.random, storage: memoryStorage() }
  const tokens = { 'a-token': { user: 'admin', groups: ['system:masters'] } }
  const emulator = kubernetesEmulator(context, { tokens })
  emulator.seed(istioDefinitions())
  const kubeconfig = { text: kubeconfigText('https://east.test', 'a-token') }
  const clusters = kubernetesClusters({ kubeconfig, http: kubernetesTransport(emulator.handle) }, systemClock())
  const spec = clusterSpec.parse({ kubeconfig: { context: 'east' } })
  return {
    api: await clusters.connect({ name: 'east', spec }),
    async request(method, path, body, contentType = 'application/json') {
      const { status, body: text } = await emulator.handle({
        method,
        url: new URL(path, 'https://east.test'),
        headers: { authorization: 'Bearer a-token', 'content-type': contentType },
        body: new TextEncoder().encode(body === undefined ? '' : JSON.stringify(body)),
      })
      return { status, body: JSON.parse(String(text)) }
    },
    close: async () => {},
  }
})
