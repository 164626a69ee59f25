import { beforeEach, describe, expect, it } from 'vitest'
import type { Azure } from '../../../src/adapters/azure.ts'
import { graphDirectory } from '../../../src/adapters/graph/graph-directory.ts'
import type { Emulator, EmulatorRequest } from '../../../src/sandbox/emulators/emulator.ts'
import { type GraphTenant, graphEmulator } from '../../../src/sandbox/emulators/graph/graph.ts'
import { memoryStorage } from '../../../src/sandbox/storage.ts'
import { fetchTransport } from '../../../src/sandbox/transports/fetch-transport.ts'
import { type VirtualClock, virtualClock } from '../../unit/adapters/virtual-clock.ts'

const id = (kind: number, number: number) =>
  `${String(kind).repeat(8)}-0000-4000-8000-${String(number).padStart(12, '0')}`
const APP = id(9, 1)
const [DEPLOYER, APPROVER, OTHER] = [id(8, 1), id(8, 2), id(8, 3)]
const [ANN, BEN, CID] = [id(1, 1), id(1, 2), id(1, 3)]
const [TEAM, PARENT, ADMINS] = [id(2, 1), id(2, 2), id(2, 3)]
const MANY = Array.from({ length: 2500 }, (_, index) => ({ id: id(3, index), displayName: `g${index}` }))

const tenant: GraphTenant = {
  users: [
    { id: ANN, displayName: 'Ann\u202e', memberOf: [TEAM, ADMINS] },
    { id: BEN, displayName: 'Ben', accountEnabled: false, memberOf: [TEAM] },
    { id: CID, displayName: 'Cid', memberOf: MANY.map((group) => group.id) },
  ],
  groups: [
    { id: TEAM, displayName: 'team', memberOf: [PARENT] },
    { id: PARENT, displayName: 'parent', memberOf: [TEAM] },
    { id: ADMINS, displayName: 'Global Administrator', type: 'directoryRole' },
    ...MANY,
  ],
  servicePrincipals: [
    {
      id: APP,
      appRoles: [
        { id: DEPLOYER, value: 'Mesh.Deployer' },
        { id: APPROVER, value: 'Mesh.Approver' },
        { id: OTHER, value: 'Something.Else' },
      ],
      assignedTo: [
        ...MANY.slice(0, 1200).map((group) => ({ principalId: group.id, appRoleId: OTHER })),
        { principalId: ANN, appRoleId: OTHER },
        { principalId: TEAM, appRoleId: DEPLOYER },
        { principalId: PARENT, appRoleId: APPROVER },
        { principalId: CID, appRoleId: APPROVER },
      ],
    },
  ],
}

let requests: EmulatorRequest[]
let throttledS: number | undefined
let token: string
let tokens: number
let clock: VirtualClock
let spoil: (emulator: Emulator) => Emulator
beforeEach(() => {
  requests = []
  throttledS = undefined
  token = 'good'
  tokens = 0
  clock = virtualClock()
  spoil = (emulator) => emulator
})

function directory(app = APP) {
  const context = { now: () => clock.now(), random: () => 0.5, storage: memoryStorage() }
  const checkToken = async (sent: string, audience: string) =>
    sent === 'good' && audience === 'https://graph.microsoft.com'
  const emulator = graphEmulator(context, { tenant, checkToken, throttledS: () => throttledS })
  const azure: Azure = {
    credential: {
      async getToken(scopes) {
        expect(scopes).toBe('https://graph.microsoft.com/.default')
        tokens += 1
        return { token, expiresOnTimestamp: clock.now() + 3_600_000 }
      },
    },
    fetch: fetchTransport((request) => {
      requests.push(request)
      return spoil(emulator)(request)
    }),
  }
  return graphDirectory(azure, app, clock)
}

describe('the directory', () => {
  it('knows a person by name, with app roles of their own and of groups that they are in themselves', async () => {
    expect(await directory().person(ANN)).toEqual({
      id: ANN,
      name: 'Ann',
      kind: 'person',
      roles: ['Mesh.Deployer'],
      groups: [TEAM, PARENT],
    })
  })

  it('reads every page', async () => {
    const cid = await directory().person(CID)
    expect(cid).toMatchObject({ roles: ['Mesh.Approver'] })
    expect(cid?.groups).toHaveLength(2500)
    expect(requests.length).toBeGreaterThan(8)
  })

  it.each([
    ['disabled', BEN],
    ['unknown', id(1, 9)],
  ])('knows nobody by an account that is %s', async (_, person) => {
    expect(await directory().person(person)).toBeUndefined()
  })

  it('asks nothing about what is no object id', async () => {
    expect(await directory().person('../servicePrincipals')).toBeUndefined()
    expect(requests).toEqual([])
  })

  it('remembers people and roles for five minutes', async () => {
    const people = directory()
    await Promise.all([people.person(ANN), people.person(ANN.toUpperCase())])
    const first = requests.length
    await people.person(ANN)
    expect(requests).toHaveLength(first)
    expect(tokens).toBe(1)
    await clock.pass(5 * 60_000)
    await people.person(ANN)
    expect(requests.length).toBe(2 * first)
  })

  it('does not remember a role for longer, whenever the person was looked up first', async () => {
    const people = directory()
    await people.person(CID)
    await clock.pass(5 * 60_000 - 1)
    expect(await people.person(ANN)).toMatchObject({ roles: ['Mesh.Deployer'] })
    spoil = (emulator) => async (request) => {
      const answer = await emulator(request)
      return request.url.pathname.endsWith('/appRoleAssignedTo') ? { ...answer, body: '{"value":[]}' } : answer
    }
    await clock.pass(1)
    expect(await people.person(ANN)).toMatchObject({ roles: [] })
  })

  it('sends its token to graph.microsoft.com and nowhere else, though a page leads elsewhere', async () => {
    spoil = (emulator) => async (request) => {
      const answer = await emulator(request)
      const body = String(answer.body).replace(
        '"@odata.nextLink":"https://graph.microsoft.com',
        '"@odata.nextLink":"https://evil.example',
      )
      return { ...answer, body }
    }
    await expect(directory().person(CID)).rejects.toMatchObject({ kind: 'unavailable', reason: 'Link' })
    expect(new Set(requests.map(({ url }) => url.origin))).toEqual(new Set(['https://graph.microsoft.com']))
  })

  it('throttled, says for how long, and does not remember it', async () => {
    const people = directory()
    throttledS = 7
    await expect(people.person(ANN)).rejects.toMatchObject({ kind: 'throttled', retryAfterMs: 7000 })
    throttledS = undefined
    expect(await people.person(ANN)).toMatchObject({ name: 'Ann' })
  })

  it('not let in, names the permissions and not the token, and asks for another token', async () => {
    const people = directory()
    token = 'a-secret-that-is-not-taken'
    const failed = await people.person(ANN).then(String, (error: unknown) => error)
    expect(failed).toMatchObject({ kind: 'denied', message: expect.stringContaining('User.Read.All') })
    expect(JSON.stringify([String(failed), failed])).not.toContain(token)
    token = 'good'
    expect(await people.person(ANN)).toMatchObject({ name: 'Ann' })
  })

  it('says when the settings name an application that is not there', async () => {
    await expect(directory(id(9, 9)).person(ANN)).rejects.toMatchObject({ kind: 'invalid', reason: 'ServicePrincipal' })
  })

  it('does not understand what is no Graph', async () => {
    spoil = () => async () => ({ status: 200, headers: {}, body: '<html>' })
    await expect(directory().person(ANN)).rejects.toMatchObject({ kind: 'unavailable', reason: 'Form' })
  })
})
