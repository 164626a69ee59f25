import * as z from 'zod'
import type { ArrivedAudit } from '../../model/audit.ts'
import { actorView, time } from './common.ts'

export const auditView = z
  .object({
    id: z.string(),
    time: time.describe('When it was accepted; the order of a list is that of arrival'),
    actor: actorView,
    action: z.string().describe('service.put, rollout.abort, certificate.rotate, …'),
    subject: z.string().describe('services/NAMESPACE/NAME, rollouts/ID, clusters/NAME, teams/NAME, …'),
    origin: z
      .object({
        kind: z.enum(['rest', 'pipeline', 'teams', 'slack', 'alert', 'key-vault', 'schedule']),
        ref: z.string().optional().describe("The run's address, the channel, the alert's rule"),
      })
      .describe('From where it came'),
    requestId: z.string().optional().describe('Of the request: it stands in its answer and in the logs'),
    before: z.unknown().optional().describe('What users own of it, before; left out where there was nothing'),
    after: z.unknown().optional().describe('The same, after; left out where nothing is left'),
    note: z.string().optional().describe('What before and after do not show, and why'),
    cursor: z.string().describe('Give it as ?after= to go on behind this record'),
  })
  .meta({ id: 'AuditRecord' })

/** A record as the API shows it: as it is kept. */
export function viewAudit(record: ArrivedAudit): z.infer<typeof auditView> {
  const { id, time, actor, action, subject, origin, requestId, before, after, note, cursor } = record
  return {
    ...{ id, time, actor, action, subject, origin },
    ...(requestId === undefined ? {} : { requestId }),
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
    ...(note === undefined ? {} : { note }),
    cursor,
  }
}
