import { SANDBOX_GROUP, SANDBOX_PEOPLE } from '../../src/sandbox/identities.ts'

/** Who signs in: the people of the sandbox, and one who may start rollouts and approve steps too. */
export const PERSONS = {
  ...SANDBOX_PEOPLE,
  deputy: {
    oid: '00000000-bbbb-4000-8000-000000000006',
    name: 'Dee Deputy',
    roles: ['Mesh.Deployer', 'Mesh.Approver'],
    groups: [SANDBOX_GROUP],
  },
} as const
export type Person = keyof typeof PERSONS

/** Object ids of those who may approve. */
export const APPROVERS: readonly string[] = Object.values(PERSONS)
  .filter(({ roles }) => roles.some((role) => role === 'Mesh.Approver' || role === 'Mesh.Admin'))
  .map(({ oid }) => oid)
