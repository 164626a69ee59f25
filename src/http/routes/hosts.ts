import type * as z from 'zod'
import type { Result } from '../../model/failure.ts'
import { hostKey } from '../../model/host.ts'
import { readPlacedHost } from '../../services/hosts/read-exposure.ts'
import { decodePlace, encodePlace, limitOf, listOf, pageAnswer, pageQuery } from '../paging.ts'
import { type Answer, type Call, type Route, route } from '../route.ts'
import { hostView, viewHost } from '../views/host-view.ts'
import { found } from './owned.ts'

const common = { tag: 'Hosts', method: 'GET', access: 'any' } as const

export const HOST_ROUTES: readonly Route[] = [
  route({
    ...common,
    path: '/hosts',
    operationId: 'listHosts',
    summary: 'List the hosts that services are exposed on',
    query: pageQuery,
    answers: { 200: { description: 'One page', schema: listOf(hostView) } },
    handle: list,
  }),
  route({
    ...common,
    path: '/hosts/{gateway}/{host}',
    operationId: 'getHost',
    summary: 'Show who holds which path of a host',
    description:
      'A path is claimed by the exposure of a service. A second claim of it on the same cluster is 409 HostTaken.',
    answers: { 200: { description: 'The host', schema: hostView } },
    failures: ['NotFound'],
    async handle({ deps, params: { gateway = '', host = '' } }) {
      const key = hostKey(gateway, host)
      return found('host', key, await readPlacedHost(deps.store, key), (placed) => ({
        status: 200,
        json: viewHost(placed),
      }))
    },
  }),
]

async function list({ deps, request, query }: Call<unknown, z.infer<typeof pageQuery>>): Promise<Result<Answer>> {
  const after = decodePlace(query.after)
  if (!after.ok) return after
  const place = after.value === undefined ? {} : { after: after.value }
  const page = await deps.store.list('host', { limit: limitOf(query), ...place })
  const views = await Promise.all(
    page.value.map(async ({ value: host }) => {
      const placements = await deps.store.list('placement', {
        prefix: `${hostKey(host.gateway, host.host)}/`,
        limit: 1000,
      })
      return viewHost({ host, placements: placements.value.map(({ value }) => value) })
    }),
  )
  return pageAnswer(request, views, page.next === undefined ? undefined : encodePlace(page.next))
}
