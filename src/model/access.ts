import { fail, type Result, succeed } from './failure.ts'
import { type Caller, hasRole } from './identity.ts'
import type { TeamSpec } from './team.ts'

/** Does the caller belong to the team, by group or by application id? Administrators belong to every team. */
export function belongsTo(caller: Caller, team: TeamSpec): boolean {
  if (hasRole(caller, 'Mesh.Admin')) return true
  const groups = new Set(team.groups.map((id) => id.toLowerCase()))
  if (caller.groups.some((id) => groups.has(id.toLowerCase()))) return true
  const app = caller.appId?.toLowerCase()
  return caller.kind === 'application' && app !== undefined && (team.apps ?? []).some((id) => id.toLowerCase() === app)
}

/** May the caller act in a namespace of the team? The failure names what is missing. */
export function mayReach(
  caller: Caller,
  name: string,
  team: TeamSpec | undefined,
  namespace: string,
): Result<undefined> {
  if (team && belongsTo(caller, team) && (team.namespaces.includes(namespace) || hasRole(caller, 'Mesh.Admin'))) {
    return succeed(undefined)
  }
  if (!team && hasRole(caller, 'Mesh.Admin')) return succeed(undefined)
  const reason =
    team && !team.namespaces.includes(namespace)
      ? `Team ${name} does not own namespace ${namespace}.`
      : `${caller.name} does not belong to team ${name}.`
  return fail('Forbidden', reason, {
    hint: 'An administrator can add your Entra group, application or namespace to the team (PUT /teams/{team}).',
  })
}

/** Host names that a team may not serve: those not listed, nor below a listed `*.` suffix. */
export function foreignHosts(hosts: readonly string[], owned: readonly string[]): readonly string[] {
  return hosts.filter(
    (host) => !owned.some((own) => own === host || (own.startsWith('*.') && host.endsWith(own.slice(1)))),
  )
}
