import { missingRole } from '../model/access.ts'
import type { Failure } from '../model/failure.ts'
import { type Caller, ROLES, type Role } from '../model/identity.ts'
import type { Access } from './route.ts'

/** Roles of which a caller needs one. */
export function rolesFor(access: Exclude<Access, 'open'>): readonly Role[] {
  return access === 'any' ? ROLES : [...new Set<Role>([...access, 'Mesh.Admin'])]
}

/** The failure that names the roles of which the caller has none; undefined when it has one. */
export function checkRole(caller: Caller, access: Exclude<Access, 'open'>): Failure | undefined {
  return missingRole(caller, rolesFor(access))
}

/** Adds to a refusal what the caller could not know: that the token named no groups. */
export function explainGroups(failure: Failure, groupsLeftOut: boolean): Failure {
  if (failure.code !== 'Forbidden' || !groupsLeftOut) return failure
  const why =
    'Your token names no groups, as you are in too many: assign groups to the application and let its tokens hold only those.'
  return { ...failure, hint: failure.hint === undefined ? why : `${failure.hint} ${why}` }
}
