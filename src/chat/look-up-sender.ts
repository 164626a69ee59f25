import type { Sender } from '../model/command.ts'
import type { Caller } from '../model/identity.ts'
import type { Directory } from '../ports/directory.ts'
import type { Store } from '../ports/store.ts'

/**
 * The person behind a chat message, with app roles and groups as Entra has them now; undefined for one whom nobody knows:
 * a signature proves the channel, not the person. Throws PortError.
 */
export async function lookUpSender(
  { store, directory }: { readonly store: Store; readonly directory: Directory },
  { kind, id }: Sender,
): Promise<Caller | undefined> {
  const objectId = kind === 'entra' ? id : await mappedPerson(store, id)
  return objectId === undefined ? undefined : directory.person(objectId)
}

/** The Entra object id that teams give a Slack user; undefined when none does, or two say different things. */
async function mappedPerson(store: Store, slackUser: string): Promise<string | undefined> {
  const mapped = new Set<string>()
  for (const team of await store.all('team')) {
    const users = team.spec.chat?.slackUsers ?? {}
    const person = Object.hasOwn(users, slackUser) ? users[slackUser] : undefined
    if (person !== undefined) mapped.add(person.toLowerCase())
  }
  return mapped.size === 1 ? [...mapped][0] : undefined
}
