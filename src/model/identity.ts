/** The roles of the Entra app registration. Each is alone: an operator who also deploys holds both. Admin has all. */
export const ROLES = ['Mesh.Viewer', 'Mesh.Deployer', 'Mesh.Approver', 'Mesh.Operator', 'Mesh.Admin'] as const
export type Role = (typeof ROLES)[number]

/** Who is asking, as the checked token or a look-up says. */
export interface Caller {
  /** Entra object id of the person or service principal; of an alert, its rule. */
  readonly id: string
  readonly name: string
  /** A person, an application (a pipeline) that signed in as itself, or a monitor's alert: it has no roles. */
  readonly kind: 'person' | 'application' | 'alert'
  readonly roles: readonly Role[]
  /** Entra group ids. */
  readonly groups: readonly string[]
  /** Entra application id of the client that asked for the token. */
  readonly appId?: string
}

/** Who did something, as it is kept. `schedule` is time itself, `gate` is the judge, `alert` a rule of a monitor. */
export interface Actor {
  readonly kind: 'person' | 'application' | 'alert' | 'schedule' | 'gate' | 'meshwright'
  readonly id: string
  readonly name: string
}

export const MESHWRIGHT: Actor = { kind: 'meshwright', id: 'meshwright', name: 'Meshwright' }
export const SCHEDULE: Actor = { kind: 'schedule', id: 'schedule', name: 'schedule' }
export const GATE: Actor = { kind: 'gate', id: 'gate', name: 'gate' }

export function actorOf(caller: Caller): Actor {
  return { kind: caller.kind, id: caller.id, name: caller.name }
}

export function hasRole(caller: Caller, role: Role): boolean {
  return caller.roles.includes(role) || caller.roles.includes('Mesh.Admin')
}
