import { describe, expect, it } from 'vitest'
import { type Call, rollout, shopWorld, WEB } from './fixture.ts'
import { describeRefusals, NEW, ROLLOUTS, refused, SERVICE, service } from './refusals.ts'

const CLUSTER = '/api/v1/clusters/west'
const EAST = { kubeconfig: { context: 'east' } }
const start = (body: object): Call => ({ body })

describeRefusals('what the state does not allow', [
  refused(
    'an unknown cluster',
    'PUT',
    NEW,
    service({ clusters: ['west'] }),
    '422 UnknownReference',
    ['/clusters'],
    /no cluster west/,
  ),
  refused('an unknown team', 'PUT', NEW, service({ team: 'nobody' }), '422 UnknownReference', ['/team']),
  refused(
    'a namespace that the team does not own',
    'PUT',
    '/api/v1/services/bank/web',
    service({}),
    '422 InvalidCombination',
    ['/team'],
  ),
  refused(
    "another team's service",
    'PUT',
    SERVICE,
    { ...service({ adopt: true }), roles: ['Mesh.Deployer'] },
    '403 Forbidden',
    undefined,
    /does not belong to team shop/,
  ),
  refused(
    'a stale ETag',
    'PUT',
    SERVICE,
    { ...service({ adopt: true }), headers: { 'if-match': '"stale"' } },
    '412 PreconditionFailed',
    ['header/if-match'],
  ),
  refused(
    'an ETag for what is not there',
    'PUT',
    NEW,
    { ...service({}), headers: { 'if-match': '*' } },
    '412 PreconditionFailed',
    ['header/if-match'],
  ),
  refused(
    'create only, of what is there',
    'PUT',
    SERVICE,
    { ...service({}), headers: { 'if-none-match': '*' } },
    '412 PreconditionFailed',
    ['header/if-none-match'],
  ),
  refused(
    'a PATCH that leaves something unfit',
    'PATCH',
    SERVICE,
    { body: { team: null } },
    '400 InvalidRequest',
    ['/team'],
    /is required/,
  ),
  refused('a PATCH of what is not there', 'PATCH', NEW, { body: {} }, '404 NotFound'),
  refused(
    'a candidate that is stable',
    'POST',
    ROLLOUTS,
    start({ candidate: 'v1' }),
    '422 InvalidCombination',
    ['/candidate'],
    /stable already/,
  ),
  refused(
    'an unknown candidate',
    'POST',
    ROLLOUTS,
    start({ candidate: 'v9' }),
    '422 UnknownReference',
    ['/candidate'],
    /known: v1, v2/,
  ),
  refused(
    'a candidate of neither form',
    'POST',
    ROLLOUTS,
    start({ candidate: 5 }),
    '400 InvalidRequest',
    ['/candidate'],
    /a string or an object/,
  ),
  refused(
    'a candidate that catches the pods of stable',
    'POST',
    ROLLOUTS,
    start({ candidate: { name: 'v3', labels: { version: 'v1', x: 'y' } } }),
    '422 InvalidCombination',
    ['/candidate'],
  ),
  refused(
    'an unknown strategy',
    'POST',
    ROLLOUTS,
    start({ candidate: 'v2', strategy: 'fast' }),
    '422 UnknownReference',
    ['/strategy'],
  ),
  refused(
    'a rollout on a cluster of others',
    'POST',
    ROLLOUTS,
    start({ candidate: 'v2', clusters: ['west'] }),
    '422 UnknownReference',
    ['/clusters'],
  ),
  refused(
    'an odd weight',
    'POST',
    ROLLOUTS,
    start({ candidate: 'v2', steps: [{ weight: 10.5, for: '1m' }] }),
    '400 InvalidRequest',
    ['/steps/0/weight'],
    /whole number/,
  ),
  refused(
    'a weight over 100',
    'POST',
    ROLLOUTS,
    start({ candidate: 'v2', steps: [{ weight: 101, for: '1m' }] }),
    '400 InvalidRequest',
    ['/steps/0/weight'],
  ),
  refused(
    'steps that fall',
    'POST',
    ROLLOUTS,
    start({
      candidate: 'v2',
      steps: [
        { weight: 20, for: '1m' },
        { weight: 10, for: '1m' },
      ],
    }),
    '400 InvalidRequest',
    ['/steps/1/weight'],
    /rise/,
  ),
  refused(
    'a gate of no known kind',
    'POST',
    ROLLOUTS,
    start({ candidate: 'v2', gates: [{ kind: 'cpu' }] }),
    '400 InvalidRequest',
    ['/gates/0/kind'],
    /must be one of errors, latency/,
  ),
  refused(
    'a rollout of a service that is not there',
    'POST',
    `${NEW}/rollouts`,
    start({ candidate: 'v2' }),
    '404 NotFound',
  ),
  refused('a cluster reached in two ways', 'PUT', CLUSTER, start({ ...EAST, resourceId: 'x' }), '400 InvalidRequest', [
    '/resourceId',
    '',
  ]),
  refused('a cluster reached in no way', 'PUT', CLUSTER, start({}), '400 InvalidRequest', [''], /exactly one of/),
  refused(
    'a context that no kubeconfig holds',
    'PUT',
    CLUSTER,
    start({ kubeconfig: { context: 'nowhere' } }),
    '422 UnknownReference',
    ['/kubeconfig/context'],
  ),
  refused(
    'a metrics address that may not be called',
    'PUT',
    CLUSTER,
    start({ ...EAST, metrics: { prometheus: { url: 'https://evil.example' } } }),
    '422 InvalidCombination',
    ['/metrics/prometheus/url'],
  ),
  refused(
    'an endpoint of managed Prometheus that is another host',
    'PUT',
    CLUSTER,
    start({ ...EAST, metrics: { azureMonitor: { endpoint: 'https://a.prometheus.monitor.azure.com.evil.example' } } }),
    '422 InvalidCombination',
    ['/metrics/azureMonitor/endpoint'],
  ),
  refused(
    'logs in a table that their workspace has not',
    'PUT',
    CLUSTER,
    start({ ...EAST, metrics: { logs: { workspaceId: '00000000-0000-4000-8000-000000000001', table: 'requests' } } }),
    '400 InvalidRequest',
    ['/metrics/logs/table'],
    /AppRequests/,
  ),
  refused(
    'a metrics address that is no URL',
    'PUT',
    CLUSTER,
    start({ ...EAST, metrics: { prometheus: { url: 'file:///etc/passwd' } } }),
    '400 InvalidRequest',
    ['/metrics/prometheus/url'],
    /URL/,
  ),
  refused('a cluster that something names', 'DELETE', '/api/v1/clusters/east', {}, '409 InUse', undefined, /shop\/web/),
  refused('a team that something names', 'DELETE', '/api/v1/teams/shop', {}, '409 InUse'),
])

describe('live rollouts stand in the way of', () => {
  it.each([
    ['taking a version away', 'PUT', SERVICE, service({ versions: { v1: WEB.versions.v1 } }), ['/versions/v2']],
    ['taking the cluster away', 'PUT', SERVICE, service({ clusters: [] }), ['/clusters']],
    ['other ports', 'PUT', SERVICE, service({ ports: [{ name: 'http', port: 81, protocol: 'http' }] }), ['/ports']],
    ['fixed weights', 'PUT', SERVICE, service({ traffic: { weights: { v1: 100 } } }), ['/traffic/weights']],
    ['removing the service', 'DELETE', SERVICE, {}, undefined],
    ['another rollout on the same cluster', 'POST', ROLLOUTS, start({ candidate: 'v2' }), ['/clusters']],
  ] as const)('%s', async (_, method, path, call, pointers) => {
    const world = shopWorld({ rollouts: [rollout()] })
    const answer = await world.call(method, path, call)
    expect(answer.json).toMatchObject({ status: 409, code: 'RolloutInFlight' })
    if (pointers) expect(answer.json.errors.map((error: { pointer: string }) => error.pointer)).toEqual(pointers)
    expect(world.store.writes).toBe(0)
  })

  it('a verb that the phase does not take', async () => {
    const world = shopWorld({ rollouts: [rollout()] })
    const answer = await world.call('POST', '/api/v1/rollouts/shop.web.aaaaaaaaaa/approve')
    expect(answer).toMatchObject({ status: 409, json: { code: 'RolloutState' } })
    expect(world.store.writes).toBe(0)
  })
})
