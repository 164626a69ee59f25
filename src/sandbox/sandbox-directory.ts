import type { Emulator, EmulatorContext } from './emulators/emulator.ts'
import type { EntraEmulator } from './emulators/entra/entra.ts'
import { type GraphTenant, graphEmulator } from './emulators/graph/graph.ts'
import { SANDBOX_GROUP, SANDBOX_PEOPLE } from './identities.ts'

/** Object id of the API's enterprise application in the sandbox's tenant. */
export const SANDBOX_SERVICE_PRINCIPAL = '00000000-eeee-4000-8000-000000000001'

/** Microsoft Graph over the people of the sandbox: each holds the app roles that the tokens of `sandbox.json` carry. */
export function sandboxGraph(context: EmulatorContext, { checkToken }: EntraEmulator): Emulator {
  return graphEmulator(context, { tenant: sandboxTenant(), checkToken })
}

function sandboxTenant(): GraphTenant {
  const people = Object.values(SANDBOX_PEOPLE)
  const roles = [...new Set(people.flatMap((person) => person.roles))]
  const appRoles = roles.map((value, index) => ({ id: `00000000-eeee-4000-9000-00000000000${index}`, value }))
  const roleId = (role: string) => appRoles.find(({ value }) => value === role)?.id ?? ''
  return {
    users: people.map(({ oid, name, groups = [] }) => ({ id: oid, displayName: name, memberOf: groups })),
    groups: [{ id: SANDBOX_GROUP, displayName: 'Team shop' }],
    servicePrincipals: [
      {
        id: SANDBOX_SERVICE_PRINCIPAL,
        appRoles,
        assignedTo: people.flatMap(({ oid, roles: held }) =>
          held.map((role) => ({ principalId: oid, appRoleId: roleId(role) })),
        ),
      },
    ],
  }
}
