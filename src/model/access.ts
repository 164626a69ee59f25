import { type Failure, fail, type Result, succeed } from './failure.ts'
import { type Caller, hasRole, type Role } from './identity.ts'
import type { TeamSpec } from './team.ts'

/** The failure that names the roles of which the caller has none; undefined when it has one. Mesh.Admin has all. */
export function missingRole(caller: Caller, roles: readonly Role[]): Failure | undefined {
  const enough = [...new Set<Role>([...roles, 'Mesh.Admin'])]
  if (enough.some((role) => caller.roles.includes(role))) return undefined
  return fail('Forbidden', `${caller.name} needs the role ${enough.join(' or ')}.`, {
    hint: 'An administrator can give the app role in Entra ID (Enterprise applications, Users and groups).',
  }).failure
}

/**
 * Does the caller belong to the team, by group or by application id? Administrators belong to every team, and so do the
 * alerts of monitors: what these may do is little (`mayAct`).
 */
export function belongsTo(caller: Caller, team: TeamSpec): boolean {
  if (hasRole(caller, 'Mesh.Admin') || caller.kind === 'alert') return true
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
