import { type ApiServer, startApiServer } from './api-server.ts'
import { type Mesh, type MeshOptions, startMesh } from './mesh.ts'
import type { Parts } from './parts.ts'
import { type Prometheus, startPrometheus } from './prometheus.ts'
import { type Site, siteOf } from './site.ts'

/** One whole cluster: an API server, the mesh that hangs on it, and a Prometheus that scrapes it. */
export interface RealCluster {
  /** Also the name of its context. */
  readonly name: string
  readonly api: ApiServer
  readonly mesh: Mesh
  readonly prometheus: Prometheus
  stop(): Promise<void>
}

/** Starts one cluster (about twenty seconds). To be run in the namespace of run.ts. */
export async function startRealCluster(options: {
  parts: Parts
  dir: string
  /** `real` when left out. */
  name?: string
  /** The first when left out. */
  site?: Site
  clients?: MeshOptions['clients']
}): Promise<RealCluster> {
  const { parts, dir, name = 'real', site = siteOf(0), clients = [] } = options
  const started: { stop(): Promise<void> }[] = []
  const stop = async () => {
    for (const one of started.toReversed()) await one.stop()
  }
  try {
    const api = await startApiServer({ parts, dir: `${dir}/api`, crds: [parts.istioCrds], context: name })
    started.push(api)
    const mesh = await startMesh({ parts, dir: `${dir}/mesh`, api, site, clients })
    started.push(mesh)
    const targets = mesh.scrapeTargets
    const prometheus = await startPrometheus({ parts, dir: `${dir}/prometheus`, targets })
    started.push(prometheus)
    return { name, api, mesh, prometheus, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Starts two clusters beside each other, at once. When one does not start, the other is stopped. */
export async function startTwoClusters(options: {
  parts: Parts
  dir: string
  names: readonly [string, string]
}): Promise<readonly [RealCluster, RealCluster]> {
  const { parts, dir, names } = options
  const start = (index: 0 | 1) =>
    startRealCluster({ parts, dir: `${dir}/${names[index]}`, name: names[index], site: siteOf(index) })
  const [one, other] = await Promise.allSettled([start(0), start(1)])
  if (one.status === 'fulfilled' && other.status === 'fulfilled') return [one.value, other.value]
  for (const half of [one, other]) if (half.status === 'fulfilled') await half.value.stop()
  throw one.status === 'rejected' ? one.reason : (other as PromiseRejectedResult).reason
}
