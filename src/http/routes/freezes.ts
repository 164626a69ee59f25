import { deleteFreeze } from '../../freezes/delete-freeze.ts'
import { putFreeze } from '../../freezes/put-freeze.ts'
import { freezeSpec } from '../../model/freeze.ts'
import { freezeView } from '../views/plain-views.ts'
import { plainRoutes } from './plain.ts'

export const FREEZE_ROUTES = plainRoutes({
  kind: 'freeze',
  collection: '/freezes',
  parameter: 'name',
  noun: 'Freeze',
  plural: 'Freezes',
  writers: ['Mesh.Operator', 'Mesh.Approver'],
  schema: freezeSpec,
  view: freezeView,
  example: { reason: 'Black Friday', scope: { namespaces: ['shop'] }, until: '2026-11-28T06:00:00Z' },
  descriptions: {
    put: 'While it holds, nothing rises in its scope; aborts and rolls back always pass. An approver reaches only namespaces of own teams.',
    delete: 'What waited goes on at its next attempt.',
  },
  put: (deps, name, spec, context) => putFreeze(deps, name, spec, context),
  remove: (deps, name, context) => deleteFreeze(deps, name, context),
})
