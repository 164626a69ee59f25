import { afterAll, beforeAll } from 'vitest'
import { connectEmulator, connectServer } from '../contract/kubernetes/connections.ts'
import { kubernetesContract, kubernetesDifferential } from '../contract/kubernetes/suite.ts'
import { type ApiServer, startApiServer } from './parts/api-server.ts'
import { describeReal } from './parts/describe-real.ts'
import { scratchFolder } from './parts/scratch.ts'

describeReal('the Kubernetes API that Meshwright relies on', 'api', (parts) => {
  const dir = scratchFolder()
  let api: ApiServer
  beforeAll(async () => {
    api = await startApiServer({ parts, dir, crds: [parts.istioCrds] })
  })
  afterAll(() => api?.stop())

  const connect = () => connectServer(api.url, api.token)
  kubernetesContract('a real API server', connect)
  kubernetesDifferential('a real API server', connect, connectEmulator)
})
