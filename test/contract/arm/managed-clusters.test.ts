import { beforeEach, describe, expect, it } from 'vitest'
import { armManagedClusters } from '../../../src/adapters/arm/managed-clusters.ts'
import type { Azure } from '../../../src/adapters/azure.ts'
import type { ManagedClusters } from '../../../src/ports/managed-clusters.ts'
import { newManagedCluster } from '../../../src/sandbox/emulators/arm/managed-cluster.ts'
import type { Emulator } from '../../../src/sandbox/emulators/emulator.ts'
import { pipelineTransport } from '../../../src/sandbox/transports/pipeline-transport.ts'
import { ConnectionError } from '../../../src/sandbox/transports/wire.ts'
import { type VirtualClock, virtualClock } from '../../unit/adapters/virtual-clock.ts'
import { aksCluster, armId, CA_DATA, type EmulatedAzure, emulatedAzure } from './emulated-azure.ts'

/** The adapter on the emulated Azure, by the real SDK. */

const MINUTE = 60_000
let clock: VirtualClock
let world: EmulatedAzure
let managed: ManagedClusters
beforeEach(() => {
  clock = virtualClock()
  world = emulatedAzure(clock.now)
  managed = armManagedClusters(world.azure, clock)
  world.arm.put(aksCluster('east'))
})

const failure = (call: Promise<unknown>) =>
  call.then(
    () => 'no failure',
    (error: unknown) => error,
  )
const requests = () => world.asked.map(({ method, url }) => `${method} ${url.pathname.split('/').slice(8).join('/')}`)

describe('facts of a cluster', () => {
  it('are what Azure says', async () => {
    expect(await managed.facts(armId('east'))).toEqual({
      provisioningState: 'Succeeded',
      powerState: 'Running',
      location: 'westeurope',
      kubernetesVersion: '1.34.2',
      isPrivate: false,
      entra: { enabled: true, azureRbac: false, localAccountsDisabled: true },
      mesh: { revisions: ['asm-1-30'], ingressGateways: [{ mode: 'External', enabled: true }], egressGateways: [] },
      secretsProvider: { clientId: '00000000-eeee-4000-8000-000000000001', rotation: true, pollInterval: '2m' },
      azureMonitorMetrics: true,
    })
  })

  it('name revisions in the order of their numbers, gateways, and the plug-in CA by its names', async () => {
    const plugin = {
      keyVaultId: '/vault',
      certObjectName: 'ca-cert',
      keyObjectName: 'ca-key',
      rootCertObjectName: 'root-cert',
      certChainObjectName: 'cert-chain',
    }
    const egressGateways = [{ name: 'out', namespace: 'aks-istio-egress', enabled: true }]
    const ingressGateways = [
      { mode: 'Internal', enabled: false },
      { mode: 'External', enabled: true },
    ]
    const istio = {
      revisions: ['asm-1-10', 'asm-1-9'],
      components: { egressGateways, ingressGateways },
      certificateAuthority: { plugin },
    }
    world.arm.put(aksCluster('east', { serviceMeshProfile: { mode: 'Istio', istio } }))
    expect((await managed.facts(armId('east'))).mesh).toEqual({
      revisions: ['asm-1-9', 'asm-1-10'],
      ingressGateways: [...ingressGateways].reverse(),
      egressGateways,
      pluginCa: {
        keyVaultId: '/vault',
        rootCert: 'root-cert',
        cert: 'ca-cert',
        certChain: 'cert-chain',
        key: 'ca-key',
      },
    })
  })

  it('of a bare cluster leave out what it does not have', async () => {
    const bare = {
      aadProfile: undefined,
      disableLocalAccounts: undefined,
      addonProfiles: undefined,
      azureMonitorProfile: undefined,
      serviceMeshProfile: { mode: 'Disabled' },
      apiServerAccessProfile: { enablePrivateCluster: true },
      powerState: { code: 'Stopped' },
    }
    world.arm.put(aksCluster('east', bare))
    expect(await managed.facts(armId('east'))).toEqual({
      provisioningState: 'Succeeded',
      powerState: 'Stopped',
      location: 'westeurope',
      kubernetesVersion: '1.34.2',
      isPrivate: true,
      entra: { enabled: false, azureRbac: false, localAccountsDisabled: false },
      azureMonitorMetrics: false,
    })
  })
})

describe('the endpoint of a cluster', () => {
  const endpoint = { server: 'https://east-x1.hcp.westeurope.azmk8s.io:443', caData: CA_DATA }

  it('is server and CA of the user credential, whoever the user in it is', async () => {
    expect(await managed.endpoint(armId('east'))).toEqual(endpoint)
    expect(world.asked.at(-1)?.url.searchParams.get('format')).toBe('exec')
    world.arm.put(aksCluster('west', { aadProfile: undefined }))
    expect(await managed.endpoint(armId('west'))).toMatchObject({ caData: CA_DATA })
  })

  it('without a CA, or of another form, is none, and nothing of it is told', async () => {
    const broken = { id: armId('east'), server: endpoint.server, caData: 'not base64: a-secret' }
    world.arm.put(newManagedCluster(broken))
    const failed = await failure(managed.endpoint(armId('east')))
    expect(failed).toMatchObject({ kind: 'unavailable', reason: 'Kubeconfig' })
    expect(String((failed as Error).message)).not.toContain('secret')
  })
})

describe('answers are kept', () => {
  it('for minutes, the endpoint for longer, and in any case of the id', async () => {
    const both = () => Promise.all([managed.facts(armId('east')), managed.endpoint(armId('EAST'))])
    await both()
    await both()
    expect(requests()).toEqual(['GET east', 'POST EAST/listClusterUserCredential'])
    await clock.pass(2 * MINUTE)
    await both()
    expect(requests().slice(2)).toEqual(['GET east'])
    await clock.pass(58 * MINUTE)
    await both()
    expect(requests()).toHaveLength(5)
  })

  it('and shared by all who ask at once', async () => {
    await Promise.all(Array.from({ length: 50 }, () => managed.facts(armId('east'))))
    expect(requests()).toHaveLength(1)
  })

  it('for a second even from those who want the newest', async () => {
    await managed.facts(armId('east'), 0)
    world.arm.put(aksCluster('east', { powerState: { code: 'Stopped' } }))
    await clock.pass(999)
    expect(await managed.facts(armId('east'), 0)).toMatchObject({ powerState: 'Running' })
    await clock.pass(1)
    expect(await managed.facts(armId('east'), 0)).toMatchObject({ powerState: 'Stopped' })
  })

  it('also when they are failures, for seconds', async () => {
    const gone = () => failure(managed.facts(armId('none')))
    expect(await gone()).toMatchObject({ kind: 'not-found', reason: 'ClusterGone' })
    await clock.pass(9999)
    await gone()
    expect(requests()).toHaveLength(1)
    world.arm.put(aksCluster('none'))
    await clock.pass(1)
    expect(await managed.facts(armId('none'))).toMatchObject({ provisioningState: 'Succeeded' })
  })
})

describe('Azure', () => {
  /** The adapter on an Azure that answers like this. */
  const answering = (emulator: Emulator) =>
    armManagedClusters({ ...world.azure, httpClient: pipelineTransport(emulator) }, clock)
  const status = (
    code: number,
    headers: Record<string, string> = {},
    body = '{"error":{"code":"Told","message":"m"}}',
  ) => answering(async () => ({ status: code, headers: { 'content-type': 'application/json', ...headers }, body }))

  it('is asked with a token for it, by the newest version that the SDK knows', async () => {
    await managed.facts(armId('east'))
    expect(world.scopes).toEqual(['https://management.azure.com/.default'])
    const [request] = world.asked
    expect(request?.headers.authorization).toBe('Bearer https://management.azure.com/.default#1')
    expect(request?.url.searchParams.get('api-version')).toMatch(/^20\d\d-\d\d-\d\d$/)
  })

  it('that takes our role away says so, and what role is needed', async () => {
    world.arm.deny(armId('east'), true)
    for (const call of [managed.facts(armId('east')), managed.endpoint(armId('east'))]) {
      expect(await failure(call)).toMatchObject({
        kind: 'denied',
        reason: 'ArmDenied',
        message: expect.stringContaining('AuthorizationFailed: Meshwright needs the role'),
      })
    }
  })

  it('that throttles is left alone for as long as it says: a cluster for its facts', async () => {
    const throttled = status(429, { 'retry-after': '20' })
    expect(await failure(throttled.facts(armId('east')))).toMatchObject({
      kind: 'throttled',
      reason: 'ArmThrottled',
      retryAfterMs: 20_000,
    })
    await clock.pass(15_000)
    expect(await failure(throttled.facts(armId('east')))).toMatchObject({ kind: 'throttled', retryAfterMs: 5000 })
  })

  it('that throttles credentials is left alone for all clusters of the subscription', async () => {
    for (let count = 0; count < 61; count += 1) {
      world.arm.put(aksCluster(`c${count}`))
      await failure(managed.endpoint(armId(`c${count}`)))
    }
    const asked = requests().length
    expect(await failure(managed.endpoint(armId('east')))).toMatchObject({ kind: 'throttled', reason: 'ArmThrottled' })
    expect(requests()).toHaveLength(asked)
    expect(await managed.facts(armId('east'))).toMatchObject({ location: 'westeurope' })
    await clock.pass(1000)
    expect(await managed.endpoint(armId('east'))).toMatchObject({ caData: CA_DATA })
  })

  it.each([
    [400, 'invalid', 'ArmInvalid'],
    [401, 'denied', 'TokenRefused'],
    [409, 'unavailable', 'ArmBusy'],
    [500, 'unavailable', 'ArmUnavailable'],
    [503, 'unavailable', 'ArmUnavailable'],
  ])('that answers %i is %s, once', async (code, kind, reason) => {
    let calls = 0
    const told = answering(async () => {
      calls += 1
      return { status: code, headers: {}, body: '{"error":{"code":"Told","message":"a-secret"}}' }
    })
    const failed = await failure(told.facts(armId('east')))
    expect(failed).toMatchObject({ name: 'PortError', kind, reason, message: expect.stringContaining(`${code} Told`) })
    expect(JSON.stringify([String(failed), failed, (failed as Error).cause])).not.toMatch(/secret|#1/)
    expect(calls).toBe(1)
  })

  it.each([
    ['a page of HTML', '<html>Sign in to the network</html>', 'text/html'],
    ['half of an answer', '{"id":"/subscriptions/x","location":"w', 'application/json'],
    ['another thing', '{"value":[]}', 'application/json'],
    ['nothing', '', 'application/json'],
  ])('that answers with %s is unavailable, and nothing is believed of the cluster', async (_, body, type) => {
    const odd = answering(async () => ({ status: 200, headers: { 'content-type': type }, body }))
    for (const call of [odd.facts(armId('east')), odd.endpoint(armId('east'))]) {
      expect(await failure(call)).toMatchObject({ name: 'PortError', kind: 'unavailable' })
    }
  })

  it('that cannot be reached, or is silent, is unavailable', async () => {
    const lost = answering(() => Promise.reject(new ConnectionError('ECONNREFUSED')))
    const failed = await failure(lost.facts(armId('east')))
    expect(failed).toMatchObject({ kind: 'unavailable', reason: 'ArmUnavailable' })
    expect((failed as Error).cause).toBeUndefined()
    const waiting = failure(answering(() => new Promise(() => undefined)).facts(armId('east')))
    await clock.pass(10_000)
    expect(await waiting).toMatchObject({ kind: 'unavailable', reason: 'ArmUnavailable' })
  })

  it('that gives us no token is told apart', async () => {
    const refused = Object.assign(new Error('a-secret'), { name: 'CredentialUnavailableError' })
    const azure: Azure = { ...world.azure, credential: { getToken: () => Promise.reject(refused) } }
    const failed = await failure(armManagedClusters(azure, clock).facts(armId('east')))
    expect(failed).toMatchObject({ kind: 'denied', reason: 'TokenRefused' })
    expect(String(failed)).not.toContain('secret')
  })

  it('is not asked about what is no cluster', async () => {
    expect(await failure(managed.facts('/subscriptions/x'))).toMatchObject({ kind: 'invalid', reason: 'ResourceId' })
    expect(requests()).toEqual([])
  })
})
