import { succeed } from '../../model/failure.ts'
import { operationView, readOperation } from '../operations.ts'
import { type Route, route } from '../route.ts'

export const OPERATION_ROUTES: readonly Route[] = [
  route({
    method: 'GET',
    path: '/operations/{operation}',
    operationId: 'getOperation',
    tag: 'Operations',
    summary: 'Show how far a long call is',
    description: 'Its address is in the header Operation-Location of an answer whose work goes on.',
    access: 'any',
    answers: { 200: { description: 'The operation; Retry-After while it runs', schema: operationView } },
    failures: ['NotFound'],
    async handle({ deps, params }) {
      const operation = await readOperation(deps.store, params.operation ?? '')
      if (!operation.ok) return operation
      const over = operation.value.status === 'Succeeded' || operation.value.status === 'Failed'
      return succeed({ status: 200, json: operation.value, ...(over ? {} : { headers: { 'retry-after': '2' } }) })
    },
  }),
]
