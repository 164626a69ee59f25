import { teamSpec } from '../../model/team.ts'
import { deleteTeam } from '../../teams/delete-team.ts'
import { putTeam } from '../../teams/put-team.ts'
import { teamView } from '../views/plain-views.ts'
import { plainRoutes } from './plain.ts'

export const TEAM_ROUTES = plainRoutes({
  kind: 'team',
  collection: '/teams',
  parameter: 'team',
  noun: 'Team',
  plural: 'Teams',
  writers: ['Mesh.Admin'],
  schema: teamSpec,
  view: teamView,
  example: { namespaces: ['shop'], groups: ['11111111-2222-4333-8444-555555555555'] },
  descriptions: {
    put: 'Who belongs to it (Entra groups and applications) and which namespaces and hosts it owns.',
    delete: 'Refused while services name it.',
  },
  put: (deps, name, spec, context) => putTeam(deps, name, spec, context),
  remove: (deps, name, context) => deleteTeam(deps, name, context),
})
