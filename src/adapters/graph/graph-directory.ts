import * as z from 'zod'
import { type Caller, ROLES, type Role } from '../../model/identity.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Directory } from '../../ports/directory.ts'
import { PortError } from '../../ports/port-error.ts'
import type { Azure } from '../azure.ts'
import { type GraphClient, graphClient } from './graph-client.ts'

const user = z.object({ id: z.guid(), displayName: z.string().nullish(), accountEnabled: z.boolean().nullish() })
const member = z.object({ '@odata.type': z.string().optional(), id: z.guid() })
const servicePrincipal = z.object({
  id: z.guid(),
  appRoles: z.array(z.object({ id: z.guid(), value: z.string().nullish(), isEnabled: z.boolean().nullish() })),
})
const assignment = z.object({ appRoleId: z.guid(), principalId: z.guid().nullish() })

const keptMs = 5 * 60_000
const MOST_KEPT = 1000

/** App roles by whom they are assigned to: people and groups, by object id. */
type Assignments = ReadonlyMap<string, readonly Role[]>

/**
 * People as Microsoft Graph knows them, with the app roles of our enterprise application as tokens would carry them: those
 * of the person, and of groups of which the person is a direct member (Entra ID does not hand roles down to nested groups).
 * Groups for teams are all of the person's groups. Kept for five minutes. Disabled accounts are nobody.
 * Needs the application permissions User.Read.All and Application.Read.All.
 */
export function graphDirectory(azure: Azure, servicePrincipalId: string, clock: Clock): Directory {
  const graph = graphClient(azure, clock)
  const assignments = kept(clock, () => readAssignments(graph, servicePrincipalId))
  const people = kept(clock, (objectId: string) => readPerson(graph, objectId))
  return {
    async person(objectId) {
      if (!z.guid().safeParse(objectId).success) return undefined
      const assigned = assignments('')
      // It is waited for below; until then its failure is nobody's.
      assigned.catch(() => undefined)
      const found = await people(objectId.toLowerCase())
      return found && callerOf(found, await assigned)
    },
  }
}

interface Person {
  readonly id: string
  readonly name: string
  /** Of the person, and of groups of which the person is a direct member. */
  readonly holders: readonly string[]
  readonly groups: readonly string[]
}

/** Put together at every look-up: a person remembered with roles that were remembered would be ten minutes old. */
function callerOf({ id, name, holders, groups }: Person, assigned: Assignments): Caller {
  const roles = [...new Set(holders.flatMap((holder) => assigned.get(holder) ?? []))]
  return { id, name, kind: 'person', roles, groups }
}

async function readPerson(graph: GraphClient, objectId: string): Promise<Person | undefined> {
  const [found, all, direct] = await Promise.all([
    graph.get(`/users/${objectId}?$select=id,displayName,accountEnabled`, user),
    graph.list(`/users/${objectId}/transitiveMemberOf?$select=id&$top=999`, member),
    graph.list(`/users/${objectId}/memberOf?$select=id&$top=999`, member),
  ])
  if (!found || !all || !direct || found.accountEnabled !== true) return undefined
  const name = (found.displayName ?? '').replaceAll(/\p{C}/gu, '').trim().slice(0, 200)
  return {
    id: objectId,
    name: name === '' ? objectId : name,
    holders: [found, ...direct.filter(isGroup)].map(({ id }) => id.toLowerCase()),
    groups: all.filter(isGroup).map(({ id }) => id),
  }
}

function isGroup(found: z.infer<typeof member>): boolean {
  return found['@odata.type'] === '#microsoft.graph.group'
}

async function readAssignments(graph: GraphClient, id: string): Promise<Assignments> {
  const [principal, assigned] = await Promise.all([
    graph.get(`/servicePrincipals/${id}?$select=id,appRoles`, servicePrincipal),
    graph.list(`/servicePrincipals/${id}/appRoleAssignedTo?$top=999`, assignment),
  ])
  if (!principal || !assigned) {
    const message = 'there is no such enterprise application: see MESHWRIGHT_SERVICE_PRINCIPAL_ID'
    throw new PortError('invalid', 'Microsoft Graph', message, { reason: 'ServicePrincipal' })
  }
  const roles = new Map(principal.appRoles.map((role) => [role.id.toLowerCase(), role.value ?? '']))
  const holders = new Map<string, Role[]>()
  for (const { appRoleId, principalId } of assigned) {
    const role = ROLES.find((known) => known === roles.get(appRoleId.toLowerCase()))
    if (role === undefined || !principalId) continue
    const holder = principalId.toLowerCase()
    holders.set(holder, [...(holders.get(holder) ?? []), role])
  }
  return holders
}

/** `read`, remembered by key for five minutes. A failure is not remembered. */
function kept<T>(clock: Clock, read: (key: string) => Promise<T>): (key: string) => Promise<T> {
  const known = new Map<string, { readonly value: Promise<T>; readonly until: number }>()
  return (key) => {
    const found = known.get(key)
    if (found && found.until > clock.now()) return found.value
    if (known.size >= MOST_KEPT) known.clear()
    const value = read(key)
    const entry = { value, until: clock.now() + keptMs }
    known.set(key, entry)
    value.catch(() => {
      if (known.get(key) === entry) known.delete(key)
    })
    return value
  }
}
