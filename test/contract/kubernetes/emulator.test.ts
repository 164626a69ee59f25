import { connectEmulator, connectServer } from './connections.ts'
import { kubernetesContract, kubernetesDifferential } from './suite.ts'

kubernetesContract('emulator', connectEmulator)

/** By hand on a real API server with Istio's CRDs: its address and an administrator's token. */
const { KUBE_CONTRACT_URL: url, KUBE_CONTRACT_TOKEN: token = '' } = process.env

if (url) {
  kubernetesContract(url, () => connectServer(url, token))
  kubernetesDifferential(url, () => connectServer(url, token), connectEmulator)
}
