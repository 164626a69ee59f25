import type { Caller } from '../model/identity.ts'

/** Who people are, when they come without a token of their own. Throws PortError. */
export interface Directory {
  /** The person with an Entra object id, with app roles and groups; undefined when the tenant does not know them. */
  person(objectId: string): Promise<Caller | undefined>
}
