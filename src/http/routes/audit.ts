import * as z from 'zod'
import { isPortError } from '../../ports/port-error.ts'
import type { AuditQuery } from '../../ports/store.ts'
import { brokenPlace, limitOf, listOf, pageAnswer, pageQuery } from '../paging.ts'
import { type Route, route } from '../route.ts'
import { auditView, viewAudit } from '../views/audit-view.ts'

const auditQuery = pageQuery.extend({
  subject: z
    .string()
    .regex(/^[a-z-]+\/[a-z0-9./-]{1,320}$/, 'must be services/NAMESPACE/NAME, rollouts/ID, clusters/NAME, …')
    .optional()
    .describe('Only what was done to this'),
  actor: z.string().min(1).max(256).optional().describe('Only what was done by this id or name'),
  action: z
    .string()
    .regex(/^[a-z-]+\.[a-z-]+$/, 'must be such as service.put')
    .max(64)
    .optional()
    .describe('Only this action, such as service.put or rollout.abort'),
})

export const AUDIT_ROUTES: readonly Route[] = [
  route({
    method: 'GET',
    path: '/audit',
    operationId: 'listAudit',
    tag: 'Audit',
    summary: 'Show who changed what',
    description:
      'One record for each change that a caller asked for and that was accepted: who, what, from where, before and after. In the order of arrival; kept for 400 days. Records tell of people and of all teams, so it takes more than reading: what happened to own services is in /events.',
    access: ['Mesh.Operator', 'Mesh.Approver'],
    query: auditQuery,
    answers: { 200: { description: 'One page', schema: listOf(auditView) } },
    async handle({ deps, request, query }) {
      const { limit: _limit, ...filters } = query
      const wanted = Object.fromEntries(Object.entries(filters).filter(([, value]) => value !== undefined))
      try {
        const page = await deps.store.audit({ ...(wanted as Omit<AuditQuery, 'limit'>), limit: limitOf(query) })
        return pageAnswer(request, page.value.map(viewAudit), page.next)
      } catch (error) {
        if (isPortError(error, 'invalid')) return brokenPlace()
        throw error
      }
    },
  }),
]
