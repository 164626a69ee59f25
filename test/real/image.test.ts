import { readFileSync } from 'node:fs'
import { kubernetesClusters } from '../../src/adapters/kubernetes/cluster-apis.ts'
import { systemClock } from '../../src/adapters/system-clock.ts'
import { clusterSpec } from '../../src/model/cluster.ts'
import { imageContract } from '../contract/image/suite.ts'
import { startApiServer } from './parts/api-server.ts'
import { describeReal } from './parts/describe-real.ts'
import { scratchFolder } from './parts/scratch.ts'

describeReal('Deployments that Meshwright makes', 'api', (parts) => {
  const dir = scratchFolder()
  imageContract('a real API server', async () => {
    const { kubeconfigPath, context, admin, stop } = await startApiServer({ parts, dir, crds: [parts.istioCrds] })
    const kubeconfig = { text: readFileSync(kubeconfigPath, 'utf8') }
    const spec = clusterSpec.parse({ kubeconfig: { context } })
    const api = await kubernetesClusters({ kubeconfig }, systemClock()).connect({ name: 'real', spec })
    return { api, request: admin.call, close: stop }
  })
})
