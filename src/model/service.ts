import * as z from 'zod'
import { dnsLabel, durationBetween, hostName, labelMap } from './names.ts'

const weight = z.int().min(0).max(100)

export const versionSpec = z.strictObject({
  labels: labelMap
    .refine((labels) => Object.keys(labels).length > 0, 'must hold at least one label')
    .describe('Labels of the Pods of this version'),
  workload: dnsLabel.optional().describe('Name of the workload, where metrics know the version only by it'),
})
export type VersionSpec = z.infer<typeof versionSpec>

const portSpec = z.strictObject({
  name: dnsLabel,
  port: z.int().min(1).max(65_535),
  protocol: z.enum(['http', 'http2', 'grpc']),
})

const trafficSpec = z.strictObject({
  timeout: durationBetween('1ms', '1h').optional().describe('For the whole request, retries included'),
  retries: z
    .strictObject({
      attempts: z.int().min(0).max(10).describe('Tries after the first one; 0 turns retries off'),
      perTryTimeout: durationBetween('1ms', '1h').optional(),
    })
    .optional(),
  weights: z
    .record(dnsLabel, weight)
    .optional()
    .describe(
      'A fixed split by version, whole per cents with the sum 100. Left out: all to stable. Rollouts need it left out',
    ),
})

/** Most versions of a service. */
export const MOST_VERSIONS = 16

/** Names of clusters, or labels that choose them. */
export const clusterSelection = z.union([
  z.array(dnsLabel).max(100),
  z.strictObject({
    matchLabels: labelMap.refine((labels) => Object.keys(labels).length > 0, 'must hold at least one label'),
  }),
])
export type ClusterSelection = z.infer<typeof clusterSelection>

/** Body of PUT /services/{namespace}/{name}. */
export const serviceSpec = z
  .strictObject({
    team: dnsLabel,
    ports: z.array(portSpec).min(1).max(16),
    versions: z
      .record(dnsLabel, versionSpec)
      .refine(
        (versions) => Object.keys(versions).length > 0 && Object.keys(versions).length <= MOST_VERSIONS,
        `must hold 1 to ${MOST_VERSIONS} versions`,
      ),
    initialVersion: dnsLabel.describe('Stable at first. Later only a rollout moves stable'),
    clusters: clusterSelection.describe('Names, or labels that choose; may be []'),
    hosts: z.array(hostName).max(32).optional().describe('Further host names that reach the service inside the mesh'),
    traffic: trafficSpec.optional(),
    onDrift: z
      .enum(['restore', 'report'])
      .default('restore')
      .describe('What to do when another hand changed our objects'),
    adopt: z.boolean().default(false).describe('Take over objects of others for the same host'),
  })
  .superRefine((spec, context) => {
    if (!Object.hasOwn(spec.versions, spec.initialVersion)) {
      context.addIssue({ code: 'custom', path: ['initialVersion'], message: 'must be one of versions' })
    }
    const weights = spec.traffic?.weights
    if (weights !== undefined) {
      const sum = Object.values(weights).reduce((total, part) => total + part, 0)
      if (sum !== 100)
        context.addIssue({ code: 'custom', path: ['traffic', 'weights'], message: `must have the sum 100, not ${sum}` })
      for (const name of Object.keys(weights)) {
        if (!Object.hasOwn(spec.versions, name)) {
          context.addIssue({ code: 'custom', path: ['traffic', 'weights', name], message: 'must be one of versions' })
        }
      }
    }
    for (const part of ['name', 'port'] as const) {
      const seen = new Set<string | number>()
      for (const [index, port] of spec.ports.entries()) {
        if (seen.has(port[part]))
          context.addIssue({ code: 'custom', path: ['ports', index, part], message: 'stands twice' })
        seen.add(port[part])
      }
    }
  })
  .meta({ id: 'Service' })

export type ServiceSpec = z.infer<typeof serviceSpec>

/** `shop/web`: how messages, documents and answers name a service. */
export type ServiceKey = string

export function serviceKey(namespace: string, name: string): ServiceKey {
  return `${namespace}/${name}`
}

export function splitServiceKey(key: ServiceKey): { namespace: string; name: string } {
  const [namespace = '', name = ''] = key.split('/')
  return { namespace, name }
}
