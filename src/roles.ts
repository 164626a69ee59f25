/** `edge` answers HTTP, `work` writes to clusters, `lifecycle` does ARM and vault. An app may have some or all. */
export const APP_ROLES = ['edge', 'work', 'lifecycle'] as const
export type AppRole = (typeof APP_ROLES)[number]

/** Roles as the setting MESHWRIGHT_ROLES lists them; all when it is empty. Throws on a role that there is not. */
export function parseRoles(text: string): readonly AppRole[] {
  const names = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
  const unknown = names.find((name) => !isRole(name))
  if (unknown !== undefined) throw new Error(`MESHWRIGHT_ROLES: ${unknown} is none of ${APP_ROLES.join(', ')}`)
  return names.length === 0 ? APP_ROLES : names.filter(isRole)
}

function isRole(name: string): name is AppRole {
  return (APP_ROLES as readonly string[]).includes(name)
}

/** The roles of this process. Read apart from the other settings: a start that serves no request need not check those. */
export function rolesOfProcess(): readonly AppRole[] {
  return parseRoles(process.env['MESHWRIGHT_ROLES'] ?? '')
}
