import * as z from 'zod'
import type { Result } from '../../model/failure.ts'
import { dnsLabel, durationBetween, durationMs, timestamp } from '../../model/names.ts'
import { readReport } from '../../watch/read-report.ts'
import { type Entry, placeInList } from '../../watch/report.ts'
import { decodePlace, encodePlace, limitOf, listOf, pageAnswer, pageQuery } from '../paging.ts'
import { type Answer, type Call, type Route, route } from '../route.ts'
import { gapView, reportEntryView, viewEntry, viewGap } from '../views/report-view.ts'

const reportQuery = pageQuery.extend({
  expiresWithin: durationBetween('0s', '3650d').optional().describe('Only what ends within this time'),
  cluster: dnsLabel.optional().describe('Only what was found on this cluster or belongs to its mesh'),
})

export const CERTIFICATE_REPORT_ROUTES: readonly Route[] = [
  route({
    method: 'GET',
    path: '/certificate-report',
    tag: 'Certificates',
    operationId: 'reportCertificates',
    summary: 'List everything that ends',
    description:
      'Certificates, roots, signers and trust anchors in vaults, on clusters and in trust bundles, registered or not, what ends first first. It is answered from what hourly looks stored; gaps tell what could not be read. TLS Secrets that Meshwright did not write are not read: they hold keys.',
    access: 'any',
    query: reportQuery,
    answers: {
      200: {
        description: 'One page, with the gaps of all',
        schema: listOf(reportEntryView).extend({
          gaps: z.array(gapView).describe('What could not be read, so that something may be missing here'),
        }),
      },
    },
    handle,
  }),
]

async function handle({ deps, request, query }: Call<unknown, z.infer<typeof reportQuery>>): Promise<Result<Answer>> {
  const after = decodePlace(query.after)
  if (!after.ok) return after
  const now = deps.clock.now()
  const { entries, gaps } = await readReport(deps.store, deps.vaultUrl, now)
  const before = query.expiresWithin === undefined ? undefined : timestamp(now + durationMs(query.expiresWithin))
  const isAsked = (entry: Entry) =>
    (before === undefined || entry.notAfter <= before) &&
    (query.cluster === undefined || entry.clusters.includes(query.cluster)) &&
    (after.value === undefined || placeInList(entry) > after.value)
  const asked = entries.filter(isAsked)
  const page = asked.slice(0, limitOf(query))
  const last = page.at(-1)
  const next = asked.length > page.length && last ? encodePlace(placeInList(last)) : undefined
  const shown = gaps.filter(({ cluster }) => query.cluster === undefined || cluster === query.cluster)
  return pageAnswer(request, page.map(viewEntry), next, { gaps: shown.map(viewGap) })
}
