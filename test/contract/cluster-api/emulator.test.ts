import { serve } from '../../../src/sandbox/emulators/serve.ts'
import { kubernetesTransport } from '../../../src/sandbox/transports/kubernetes-transport.ts'
import { emulated, openEmulator } from './open-emulator.ts'
import { clusterApiContract } from './suite.ts'

clusterApiContract('the emulator in process', false, async () => {
  const emulator = emulated()
  return openEmulator(emulator, 'https://east.test', async () => {}, kubernetesTransport(emulator))
})

clusterApiContract('the emulator on a port', false, async () => {
  const emulator = emulated()
  const { url, close } = await serve(emulator, { port: 0 })
  return openEmulator(emulator, url, close)
})
