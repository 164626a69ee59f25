import type { ServiceIdentity, TokenSubject } from './emulators/entra/entra.ts'

export const SANDBOX_TENANT = '00000000-aaaa-4000-8000-00000000beef'
/** The app's own identity: the user-assigned managed identity of the sandbox, and the secret of its endpoint. */
export const SANDBOX_IDENTITY: ServiceIdentity = {
  clientId: '00000000-dddd-4000-8000-000000000001',
  objectId: '00000000-dddd-4000-8000-000000000002',
  header: 'meshwright-sandbox-identity',
}
export const SANDBOX_AUDIENCE = 'api://meshwright'
/** The group that the demo's team `shop` belongs to; sandbox tokens carry it. */
export const SANDBOX_GROUP = '00000000-cccc-4000-8000-000000000001'

function subject(number: number, name: string, roles: readonly string[]): TokenSubject {
  return { oid: `00000000-bbbb-4000-8000-00000000000${number}`, name, roles, groups: [SANDBOX_GROUP] }
}

/** The people of the sandbox, by the names under which `.meshwright/sandbox.json` lists their tokens. */
export const SANDBOX_PEOPLE = {
  admin: subject(1, 'Ada Admin', ['Mesh.Admin']),
  operator: subject(2, 'Olu Operator', ['Mesh.Operator']),
  deployer: subject(3, 'Dana Deployer', ['Mesh.Deployer']),
  approver: subject(4, 'Asa Approver', ['Mesh.Approver']),
  viewer: subject(5, 'Vic Viewer', ['Mesh.Viewer']),
} as const
export type SandboxPerson = keyof typeof SANDBOX_PEOPLE
