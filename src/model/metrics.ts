import * as z from 'zod'
import { durationBetween } from './names.ts'

/** Where a gate gets its numbers: the mesh's own counters in Prometheus, logs of requests, or metrics of an Azure resource. */
export const GATE_SOURCES = ['mesh', 'logs', 'platform'] as const
export type GateSource = (typeof GATE_SOURCES)[number]

const timing = {
  delay: durationBetween('0s', '1h').optional().describe('How late samples may arrive'),
  every: durationBetween('2s', '1h').optional().describe('How often gates look'),
}

/** Text with `{namespace}`, `{name}` and, where a version is meant, `{version}` in it. */
const template = z
  .string()
  .min(1)
  .max(256)
  .regex(/^[^'"\\\p{Cc}]*$/u, 'may hold no quotes, backslashes or control characters')
const dimension = z.string().regex(/^[A-Za-z][\w .-]{0,127}$/, 'must be the name of a dimension')
const resourceId = z
  .string()
  .max(1024)
  .regex(
    /^\/subscriptions\/[0-9a-fA-F-]{36}\/resourceGroups\/[\w.()-]{1,90}\/providers(\/[\w.-]+)+$/,
    'must be an ARM id: /subscriptions/…/resourceGroups/…/providers/…',
  )
  .refine((id) => !/\/\.+(\/|$)/.test(id), 'must have no segments of dots')

const logsSpec = z
  .strictObject({
    workspaceId: z
      .uuid()
      .optional()
      .describe('The id (a GUID) of a Log Analytics workspace that the requests are logged to'),
    resourceId: resourceId.optional().describe('Or the ARM id of a workspace or of an Application Insights component'),
    table: z
      .enum(['AppRequests', 'requests'])
      .default('AppRequests')
      .describe('requests: the classic name of its columns'),
    roleName: template.default('{name}').describe('The cloud role name of a service'),
    versionDimension: dimension
      .optional()
      .describe('The custom dimension that tells versions apart; left out: the application version'),
    where: z
      .record(dimension, template)
      .default({})
      .refine((where) => Object.keys(where).length <= 8, 'may hold 8 dimensions at most')
      .describe('Custom dimensions of this cluster’s requests, such as k8s.cluster.name'),
    ...timing,
  })
  .refine((spec) => (spec.workspaceId === undefined) !== (spec.resourceId === undefined), {
    message: 'give exactly one of workspaceId and resourceId',
  })
  .refine((spec) => spec.table !== 'requests' || spec.resourceId !== undefined, {
    path: ['table'],
    message: 'requests is a table of Application Insights components: give resourceId, or take AppRequests',
  })

const platformCount = z.strictObject({
  metric: z.string().regex(/^[\w ./%-]{1,128}$/, 'must be the name of a metric'),
  where: z
    .record(dimension, z.union([template, z.array(template).min(1).max(20)]))
    .default({})
    .refine((where) => Object.keys(where).length <= 8, 'may hold 8 dimensions at most'),
})

const platformSpec = z.strictObject({
  resourceId: resourceId.describe('What emits the metrics, such as an Application Gateway for Containers'),
  namespace: z.string().regex(/^[\w ./-]{1,200}$/, 'must be a metric namespace'),
  region: z.string().regex(/^[a-z0-9]{2,40}$/, 'must be a region such as westeurope'),
  all: platformCount.describe('Counts every request'),
  bad: platformCount.describe('Counts those that failed'),
  versionDimension: dimension.describe('The dimension that tells versions apart'),
  versionValue: template.default('{version}').describe('Its value for a version'),
  ...timing,
})

/** Where the gates on a cluster get their numbers: at most one Prometheus, and what gates may name as `from`. */
export const metricsSpec = z
  .strictObject({
    azureMonitor: z
      .strictObject({
        endpoint: z.url({ protocol: /^https$/ }).describe('Query endpoint of an Azure Monitor workspace'),
        clusterLabel: z
          .string()
          .min(1)
          .max(128)
          .optional()
          .describe('Value of the label "cluster"; left out: the name of the AKS cluster'),
      })
      .optional(),
    prometheus: z.strictObject({ url: z.url({ protocol: /^https?$/ }) }).optional(),
    logs: logsSpec.optional().describe('For gates with from: logs'),
    platform: platformSpec.optional().describe('For gates with from: platform'),
    ...timing,
  })
  .refine(
    (metrics) => !(metrics.azureMonitor && metrics.prometheus),
    'names two sources: keep azureMonitor or prometheus',
  )

export type MetricsSpec = z.infer<typeof metricsSpec>
export type LogsSpec = z.infer<typeof logsSpec>
export type PlatformSpec = z.infer<typeof platformSpec>

const MANAGED_PROMETHEUS = '.prometheus.monitor.azure.com'

/** Is it the public endpoint of managed Prometheus? To no other place goes the app's token for it. */
export function isManagedPrometheus(endpoint: string): boolean {
  if (!URL.canParse(endpoint)) return false
  const { protocol, hostname, port, username, password } = new URL(endpoint)
  const isThere = hostname.endsWith(MANAGED_PROMETHEUS) && hostname.length > MANAGED_PROMETHEUS.length
  return protocol === 'https:' && isThere && port === '' && username === '' && password === ''
}

/** What metrics call a cluster, in managed Prometheus by the label `cluster`: as given, else the AKS cluster's name, else ours. */
export function clusterLabel(
  name: string,
  { metrics, resourceId }: { readonly metrics?: MetricsSpec | undefined; readonly resourceId?: string | undefined },
): string {
  return metrics?.azureMonitor?.clusterLabel ?? resourceId?.split('/').at(-1) ?? name
}
