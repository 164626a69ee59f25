import * as z from 'zod'
import { clusterSelection } from './cluster-selection.ts'
import { dnsLabel, hostName, labelMap } from './names.ts'
import { unknownNames } from './policy/cross-checks.ts'
import { policyOverrides } from './policy/overrides.ts'
import { policyParts, workloadSpec } from './policy/policy.ts'
import { ownWaves } from './policy/waves-spec.ts'
import { waivers } from './waiver.ts'

export const versionSpec = z.strictObject({
  labels: labelMap
    .refine((labels) => Object.keys(labels).length > 0, 'must hold at least one label')
    .describe('Labels of the Pods of this version'),
  workload: dnsLabel.optional().describe('Name of the workload, where metrics know the version only by it'),
  service: dnsLabel
    .optional()
    .describe(
      'A Kubernetes Service that selects this version alone, for meshes without subsets. Left out: Meshwright makes NAME-VERSION there',
    ),
  serviceAccount: dnsLabel
    .optional()
    .describe(
      'Service account of the Pods of this version, where the mesh knows Pods by that alone: Open Service Mesh',
    ),
})
export type VersionSpec = z.infer<typeof versionSpec>

const portSpec = z.strictObject({
  name: dnsLabel,
  port: z.int().min(1).max(65_535),
  protocol: z.enum(['http', 'http2', 'grpc', 'tcp']),
  targetPort: z
    .union([z.int().min(1).max(65_535), dnsLabel.max(15)])
    .optional()
    .describe(
      'Port of the Pods, for Services that Meshwright makes, where it is as port when left out, and for rules by port, which need its number',
    ),
})

/** Most versions of a service. */
export const MOST_VERSIONS = 16

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
    workload: workloadSpec.optional().describe('Needed by security, egress and telemetry'),
    ...policyParts,
    overrides: policyOverrides.optional().describe('In place of the parts above on some clusters, field by field'),
    waves: ownWaves
      .optional()
      .describe(
        'How a change of the parts above goes out where it means several clusters: one first, then the others. off: all at once',
      ),
    mode: z
      .enum(['manage', 'observe'])
      .optional()
      .describe(
        'observe: look, plan and show, never write, on any cluster; manage when left out. A cluster in observe is not written to either way',
      ),
    waive: waivers,
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
    const layers = [
      { layer: spec, at: [] },
      ...(spec.overrides ?? []).map((layer, index) => ({ layer, at: ['overrides', index] })),
    ]
    for (const { layer, at } of layers) {
      for (const { path, message } of unknownNames(layer, spec.versions, spec.ports))
        context.addIssue({ code: 'custom', path: [...at, ...path], message })
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

/** Is nothing written for a service on a cluster: because of the one, or of the other? */
export function isObserved(
  service: { readonly spec: Pick<ServiceSpec, 'mode'> },
  cluster: { readonly spec: { readonly mode: 'manage' | 'observe' } },
): boolean {
  return service.spec.mode === 'observe' || cluster.spec.mode === 'observe'
}

/** `shop/web`: how messages, documents and answers name a service. */
export type ServiceKey = string

export function serviceKey(namespace: string, name: string): ServiceKey {
  return `${namespace}/${name}`
}

export function splitServiceKey(key: ServiceKey): { namespace: string; name: string } {
  const [namespace = '', name = ''] = key.split('/')
  return { namespace, name }
}
