import * as z from 'zod'
import { keyOf } from '../../model/documents.ts'
import { hostClusters } from '../../model/host.ts'
import type { PlacedHost } from '../../services/hosts/read-exposure.ts'
import { conditionView, objectRef, time } from './common.ts'

const pathView = z.object({
  path: z.string().describe('Whole segments'),
  service: z.string().describe('NAMESPACE/NAME'),
  port: z.string().optional(),
  clusters: z.array(z.string()),
})

export const hostView = z
  .object({
    gateway: z.string(),
    host: z.string(),
    certificate: z.string().optional().describe('All services of a host on a cluster name the same'),
    redirectHttp: z.boolean().optional(),
    paths: z.array(pathView).describe('Who holds what'),
    reserved: z.array(pathView.extend({ until: time })).describe('Claimed by a PUT that is under way'),
    refused: z
      .array(
        z.object({ path: z.string(), service: z.string(), cluster: z.string(), by: z.string(), reason: z.string() }),
      )
      .describe('Claimed by services whose clusters are chosen by label, after another was there'),
    clusters: z.array(
      z.object({
        cluster: z.string(),
        routes: z.array(z.object({ path: z.string(), service: z.string() })).describe('What is let in there'),
        conditions: z.array(conditionView),
        objects: z.array(objectRef),
        liveRevision: z.int(),
        leaving: z.boolean().optional().describe('The host is being removed from the cluster'),
      }),
    ),
    generation: z.int().describe('Raised by every change of what is held'),
    createdAt: time,
    updatedAt: time,
  })
  .meta({ id: 'HostView' })
export type HostView = z.infer<typeof hostView>

export function viewHost({ host, placements }: PlacedHost): HostView {
  const holders = Object.entries(host.holders).toSorted(([a], [b]) => (a < b ? -1 : 1))
  const held = holders.flatMap(([service, { paths }]) => paths.map((path) => ({ service, path })))
  const first = held[0]?.path
  const clusters = [...new Set([...hostClusters(host), ...host.leaving])].sort()
  return {
    gateway: host.gateway,
    host: host.host,
    ...(first?.certificate === undefined ? {} : { certificate: first.certificate }),
    ...(first?.redirectHttp === undefined ? {} : { redirectHttp: first.redirectHttp }),
    paths: held.map(({ service, path }) => viewPath(service, path)).toSorted(byPath),
    reserved: holders.flatMap(([service, { reserved }]) =>
      (reserved?.paths ?? []).map((path) => ({ ...viewPath(service, path), until: reserved?.until ?? host.updatedAt })),
    ),
    refused: holders.flatMap(([service, { refused = [] }]) => refused.map((one) => ({ ...one, service }))),
    clusters: clusters.map((cluster) => viewCluster(cluster, { host, placements })),
    generation: host.generation,
    createdAt: host.createdAt,
    updatedAt: host.updatedAt,
  }
}

type Held = PlacedHost['host']['holders'][string]['paths'][number]

function viewPath(service: string, { path, port, clusters }: Held): z.infer<typeof pathView> {
  return { path, service, ...(port === undefined ? {} : { port }), clusters: Object.keys(clusters).sort() }
}

function byPath(a: { readonly path: string }, b: { readonly path: string }): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0
}

function viewCluster(cluster: string, { host, placements }: PlacedHost): HostView['clusters'][number] {
  const placement = placements.find((one) => one.cluster === cluster && one.service === keyOf(host))
  return {
    cluster,
    routes: [...(placement?.routes ?? [])],
    conditions: [...(placement?.conditions ?? [])],
    objects: (placement?.objects ?? []).map(({ apiVersion, kind, namespace = '', name }) => ({
      apiVersion,
      kind,
      namespace,
      name,
    })),
    liveRevision: placement?.liveRevision ?? 0,
    ...(host.leaving.includes(cluster) ? { leaving: true } : {}),
  }
}
