import { kubernetesTransport } from '../../../src/sandbox/transports/kubernetes-transport.ts'
import { emulated, openEmulator } from '../cluster-api/open-emulator.ts'
import { imageContract } from './suite.ts'

imageContract('the emulator', () => {
  const emulator = emulated()
  return openEmulator(emulator, 'https://east.test', async () => {}, kubernetesTransport(emulator))
})
