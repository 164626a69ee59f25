import * as z from 'zod'
import { succeed } from '../../model/failure.ts'
import { ALIVE } from '../liveness.ts'
import { type Route, route } from '../route.ts'

const health = z.object({ status: z.literal('ok') }).meta({ id: 'Health' })
const common = { method: 'GET', tag: 'Health', access: 'open', root: 'both' } as const

export const HEALTH_ROUTES: readonly Route[] = [
  route({
    ...common,
    path: '/healthz',
    operationId: 'getHealth',
    summary: 'Is the process alive?',
    answers: { 200: { description: 'It is', schema: health } },
    handle: async () => succeed({ status: 200, json: ALIVE }),
  }),
  route({
    ...common,
    path: '/readyz',
    operationId: 'getReadiness',
    summary: 'Can it do its work? Reads from the store',
    answers: { 200: { description: 'It can', schema: health } },
    async handle({ deps }) {
      await deps.store.read('strategy', 'default')
      return succeed({ status: 200, json: ALIVE })
    },
  }),
]
