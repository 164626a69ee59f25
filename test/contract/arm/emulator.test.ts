import { ContainerServiceClient } from '@azure/arm-containerservice'
import { beforeEach, describe, expect, it } from 'vitest'
import { aksCluster, armId, type EmulatedAzure, emulatedAzure, SUBSCRIPTION } from './emulated-azure.ts'

/** Every request that we make, or an upgrade of the mesh will make, as the real SDK sends it. */

let now: number
let world: EmulatedAzure
let client: ContainerServiceClient
beforeEach(() => {
  now = Date.UTC(2030, 0, 1)
  world = emulatedAzure(() => now, 2)
  client = clientOf(SUBSCRIPTION)
  for (const name of ['a', 'b', 'c']) world.arm.put(aksCluster(name))
  world.arm.put(aksCluster('d', {}, 'other'))
})

function clientOf(subscription: string): ContainerServiceClient {
  const { credential, httpClient } = world.azure
  const options = { retryOptions: { maxRetries: 0 }, ...(httpClient ? { httpClient } : {}) }
  return new ContainerServiceClient(credential, subscription, options)
}

const outcome = (call: Promise<unknown>) => call.catch((error: unknown) => error)

async function all<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

async function namesOf(clusters: AsyncIterable<{ readonly name?: string }>): Promise<readonly (string | undefined)[]> {
  return (await all(clusters)).map(({ name }) => name)
}

describe('a managed cluster', () => {
  it('is found by its id in any case, with the fields that the SDK knows', async () => {
    const found = await client.managedClusters.get('RG', 'A')
    expect(found).toMatchObject({
      id: armId('a'),
      name: 'a',
      location: 'westeurope',
      provisioningState: 'Succeeded',
      powerState: { code: 'Running' },
      aadProfile: { enableAzureRbac: false },
      serviceMeshProfile: { mode: 'Istio', istio: { revisions: ['asm-1-30'] } },
      eTag: expect.stringMatching(/^[0-9a-f]{32}$/),
    })
  })

  it('has another ETag after a change and the same without one', async () => {
    const tag = async () => (await client.managedClusters.get('rg', 'a')).eTag
    const before = await tag()
    world.arm.put(aksCluster('a'))
    expect(await tag()).toBe(before)
    world.arm.put(aksCluster('a', { powerState: { code: 'Stopped' } }))
    expect(await tag()).not.toBe(before)
  })

  it.each([
    ['a cluster', () => client.managedClusters.get('rg', 'none'), 404, 'ResourceNotFound'],
    ['a resource group', () => client.managedClusters.get('none', 'a'), 404, 'ResourceGroupNotFound'],
    [
      'a subscription',
      () => clientOf('00000000-dddd-4000-8000-00000000000b').managedClusters.get('rg', 'a'),
      404,
      'SubscriptionNotFound',
    ],
    [
      'a credential of none',
      () => client.managedClusters.listClusterUserCredentials('rg', 'none'),
      404,
      'ResourceNotFound',
    ],
  ])('that is not there is told: %s', async (_, call, statusCode, code) => {
    expect(await outcome(call())).toMatchObject({ name: 'RestError', statusCode, code })
  })

  it('is shown to those with a role alone', async () => {
    world.arm.deny(armId('a'), true)
    const denied = { statusCode: 403, code: 'AuthorizationFailed' }
    expect(await outcome(client.managedClusters.get('rg', 'a'))).toMatchObject(denied)
    expect(await outcome(client.managedClusters.listClusterUserCredentials('rg', 'a'))).toMatchObject(denied)
    expect(await namesOf(client.managedClusters.listByResourceGroup('rg'))).toEqual(['b', 'c'])
    world.arm.deny(armId('a'), false)
    expect(await client.managedClusters.get('rg', 'a')).toMatchObject({ name: 'a' })
  })
})

describe('a list', () => {
  it('of a subscription or a resource group is read page by page', async () => {
    expect(await namesOf(client.managedClusters.list())).toEqual(['d', 'a', 'b', 'c'])
    expect(world.asked).toHaveLength(2)
    expect(await namesOf(client.managedClusters.listByResourceGroup('RG'))).toEqual(['a', 'b', 'c'])
    const pages = world.asked.slice(2).map(({ url }) => url.searchParams.get('$skiptoken'))
    expect(pages).toEqual([null, armId('b').toLowerCase()])
  })
})

describe('the user credential', () => {
  it.each([
    ['exec', 'command: kubelogin'],
    ['azure', 'auth-provider:'],
  ])('in the format %s', async (format, user) => {
    const answer = await client.managedClusters.listClusterUserCredentials('rg', 'a', { format })
    const [kubeconfig] = answer.kubeconfigs ?? []
    expect(kubeconfig?.name).toBe('clusterUser')
    const text = Buffer.from(kubeconfig?.value ?? []).toString()
    expect(text).toContain('server: https://a-x1.hcp.westeurope.azmk8s.io:443')
    expect(text).toContain(user)
  })

  it('of a cluster without Entra ID holds a key', async () => {
    world.arm.put(aksCluster('a', { aadProfile: undefined }))
    const answer = await client.managedClusters.listClusterUserCredentials('rg', 'a', { format: 'exec' })
    expect(Buffer.from(answer.kubeconfigs?.[0]?.value ?? []).toString()).toContain('client-certificate-data')
  })
})

describe('mesh profiles', () => {
  it('tell the revisions of a region and where a cluster can go', async () => {
    const [region] = await all(client.managedClusters.listMeshRevisionProfiles('westeurope'))
    expect(region?.properties?.meshRevisions?.map(({ revision }) => revision)).toEqual([
      'asm-1-28',
      'asm-1-29',
      'asm-1-30',
    ])
    expect(await client.managedClusters.getMeshRevisionProfile('westeurope', 'istio')).toEqual(region)
    world.arm.put(aksCluster('a', meshOf(['asm-1-29'])))
    const [upgrade] = await all(client.managedClusters.listMeshUpgradeProfiles('rg', 'a'))
    expect(upgrade?.properties).toMatchObject({ revision: 'asm-1-29', upgrades: ['asm-1-30'] })
    expect(await client.managedClusters.getMeshUpgradeProfile('rg', 'a', 'istio')).toEqual(upgrade)
  })

  it('say nothing of a cluster while its upgrade is under way', async () => {
    world.arm.put(aksCluster('a', meshOf(['asm-1-29', 'asm-1-30'])))
    const failed = await outcome(client.managedClusters.getMeshUpgradeProfile('rg', 'a', 'istio'))
    expect(failed).toMatchObject({ statusCode: 400, message: expect.stringContaining('in progress') })
  })
})

describe('requests are refused', () => {
  const request = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    world.arm.handle({ method, url: new URL(`https://management.azure.com${path}`), headers, body: new Uint8Array() })

  it.each([
    ['without a version', armId('a'), 400, 'MissingApiVersionParameter'],
    ['of a version that is none', `${armId('a')}?api-version=new`, 400, 'InvalidApiVersionParameter'],
    ['without a token', `${armId('a')}?api-version=2026-06-01`, 401, 'AuthenticationFailed'],
  ])('%s', async (_, path, status, code) => {
    const answer = await request(path)
    expect([answer.status, JSON.parse(String(answer.body)).error.code]).toEqual([status, code])
  })

  it('with a token that is over, and taken with the next one', async () => {
    const headers = { authorization: 'Bearer https://management.azure.com/.default#1' }
    const path = `${armId('a')}?api-version=2026-06-01`
    world.token = 2
    expect(await request(path, headers)).toMatchObject({ status: 401 })
    expect(await outcome(client.managedClusters.get('rg', 'a'))).toMatchObject({ name: 'a' })
  })

  it('beyond 60 at once of a cluster, and are taken again at one a second', async () => {
    const get = (name: string) => outcome(client.managedClusters.get('rg', name))
    for (let count = 0; count < 60; count += 1) expect(await get('a')).toMatchObject({ name: 'a' })
    const throttled = (await get('a')) as { response: { headers: { get(name: string): string } } }
    expect(throttled).toMatchObject({ statusCode: 429, code: 'Throttled' })
    expect(throttled.response.headers.get('retry-after')).toBe('1')
    expect(await get('b')).toMatchObject({ name: 'b' })
    now += 1000
    expect(await get('a')).toMatchObject({ name: 'a' })
    expect(await get('a')).toMatchObject({ statusCode: 429 })
  })

  it('beyond 60 at once of a subscription, of its credentials', async () => {
    const credential = (name: string) => outcome(client.managedClusters.listClusterUserCredentials('rg', name))
    for (let count = 0; count < 60; count += 1) await credential(count % 2 ? 'a' : 'b')
    expect(await credential('c')).toMatchObject({ statusCode: 429 })
  })
})

function meshOf(revisions: readonly string[]): Record<string, unknown> {
  return { serviceMeshProfile: { mode: 'Istio', istio: { revisions } } }
}
