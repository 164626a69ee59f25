import * as z from 'zod'
import type { Gap } from '../../watch/gaps.ts'
import { type Entry, RENEWERS, REPORT_KINDS } from '../../watch/report.ts'
import { time } from './common.ts'

const placeView = z.object({
  where: z
    .enum(['vault', 'cluster', 'bundle'])
    .describe('vault: an object of a vault. cluster: a Secret that Meshwright wrote. bundle: what proxies trust'),
  object: z
    .string()
    .describe('Of the vault or of Kubernetes, such as secret root-cert or ConfigMap istio-ca-root-cert'),
  vault: z.string().optional(),
  cluster: z.string().optional(),
  namespaces: z.int().optional().describe('Whose trust bundle holds it'),
  examples: z.array(z.string()).optional().describe('Up to five of them'),
  lookedAt: time.optional().describe('When it was seen there last; left out: as its registration has it'),
  workloadTtl: z
    .object({
      value: z.string(),
      assumed: z.boolean().describe('Nobody said so: it is what the mesh does when nothing is set'),
    })
    .optional()
    .describe('Of a mesh: how long certificates of workloads last on the cluster'),
})

export const reportEntryView = z
  .object({
    id: z.string().describe('Its fingerprint; vault and object where that is not known'),
    kind: z.enum(REPORT_KINDS),
    subject: z.string().nullable(),
    dnsNames: z.array(z.string()).optional(),
    serial: z.string().nullable().describe('Lower-case hex; null: it was not read'),
    fingerprint: z.string().nullable().describe('SHA-256 of the DER, lower-case hex; null: it was not read'),
    notBefore: time.nullable(),
    notAfter: time,
    daysLeft: z.int().describe('Whole days; 0 when it has ended'),
    registeredAs: z.string().nullable().describe('Name of the certificate or mesh CA; null: nobody registered it'),
    renewedBy: z
      .enum(RENEWERS)
      .describe('meshwright; istiod, which signs with a root of its own; hand: people; unknown'),
    clusters: z.array(z.string()),
    namespaces: z.int().describe('Whose trust bundle holds it, on all clusters'),
    places: z.array(placeView),
  })
  .meta({ id: 'CertificateReportEntry' })

export const gapView = z
  .object({
    place: z.string().describe('clusters/NAME, plug-in-cas/CLUSTER, vaults/NAME or certificates/NAME'),
    cluster: z.string().optional(),
    reason: z.string().describe('CamelCase, for machines: Denied, Unreachable, NeverLooked and others'),
    message: z.string(),
    lookedAt: time.optional().describe('When it was seen last; left out: never'),
  })
  .meta({ id: 'CertificateReportGap' })

export function viewEntry(entry: Entry): z.infer<typeof reportEntryView> {
  const { dnsNames, places } = entry
  return {
    ...{ id: entry.id, kind: entry.kind, subject: entry.subject ?? null },
    ...(dnsNames === undefined ? {} : { dnsNames: [...dnsNames] }),
    ...{ serial: entry.serial ?? null, fingerprint: entry.fingerprint ?? null },
    ...{ notBefore: entry.notBefore ?? null, notAfter: entry.notAfter, daysLeft: entry.daysLeft },
    ...{ registeredAs: entry.registeredAs ?? null, renewedBy: entry.renewedBy },
    ...{ clusters: [...entry.clusters], namespaces: entry.namespaces },
    places: places.map(({ examples, ...place }) => {
      return { ...place, ...(examples === undefined ? {} : { examples: [...examples] }) }
    }),
  }
}

export function viewGap(gap: Gap): z.infer<typeof gapView> {
  return { ...gap }
}
