import { type AppRole, rolesOfProcess } from '../../src/roles.ts'

/** Does this app register the functions of a role? */
export function hasRole(role: AppRole): boolean {
  return rolesOfProcess().includes(role)
}
