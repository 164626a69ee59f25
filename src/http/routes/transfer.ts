import { succeed } from '../../model/failure.ts'
import { type Route, route } from '../route.ts'
import { desiredState } from '../transfer/desired-state.ts'
import { exportState } from '../transfer/export-state.ts'
import { importReport, importState } from '../transfer/import-state.ts'

const MOST_IMPORT_BYTES = 16 * 1_048_576

export const TRANSFER_ROUTES: readonly Route[] = [
  route({
    method: 'GET',
    path: '/export',
    operationId: 'exportState',
    tag: 'Transfer',
    summary: 'Export the desired state',
    description:
      'Teams, strategies, freezes, policies, clusters, certificates and services with their stable versions: what POST /import takes. Versions of certificates stay in their vaults.',
    access: ['Mesh.Operator'],
    answers: { 200: { description: 'The desired state', schema: desiredState.meta({ id: 'DesiredStateView' }) } },
    handle: async ({ deps }) => succeed({ status: 200, json: await exportState(deps) }),
  }),
  route({
    method: 'POST',
    path: '/import',
    operationId: 'importState',
    tag: 'Transfer',
    summary: 'Import a desired state',
    description:
      'The whole body is checked first; then items are written one by one, what others refer to first. Clusters come in observe: the report says how to accept each. 16 MiB at most.',
    access: ['Mesh.Admin'],
    body: { schema: desiredState.meta({ id: 'DesiredState' }), mostBytes: MOST_IMPORT_BYTES, example: { schema: 1 } },
    answers: { 200: { description: 'What became of each item', schema: importReport } },
    async handle({ deps, body, context }) {
      return succeed({ status: 200, json: await importState(deps, body, context) })
    },
  }),
]
