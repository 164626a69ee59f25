import { describe, expect, it } from 'vitest'
import { gatewayApiDefinitions } from '../../../../../src/sandbox/emulators/kubernetes/gateway-api-definitions.ts'
import { fixture } from './fixture.ts'

const group = 'gateway.networking.k8s.io'
const path = `/apis/${group}/v1/namespaces/shop/httproutes/web`

/** An HTTPRoute with nothing but what one must say. */
function route(weight?: number) {
  const backendRefs = [{ name: 'web', port: 80, ...(weight === undefined ? {} : { weight }) }]
  const spec = { parentRefs: [{ name: 'edge' }], rules: [{ backendRefs }] }
  return { apiVersion: `${group}/v1`, kind: 'HTTPRoute', metadata: { name: 'web' }, spec }
}

describe('the Gateway API on a cluster', () => {
  it('is there with its definitions, which say the version of the bundle', async () => {
    const { emulator, get } = fixture()
    expect((await get(`/apis/${group}/v1`)).status).toBe(404)
    emulator.seed(gatewayApiDefinitions('v1.5.1'))
    expect((await get(`/apis/${group}/v1`)).status).toBe(200)
    const { body } = await get(`/apis/apiextensions.k8s.io/v1/customresourcedefinitions/httproutes.${group}`)
    expect(body.metadata.annotations[`${group}/bundle-version`]).toBe('v1.5.1')
  })

  it('fills in defaults that nobody owns, and writes nothing when the same is applied again', async () => {
    const { emulator, apply } = fixture()
    emulator.seed(gatewayApiDefinitions('v1.5.1'))
    const first = await apply(path, route())
    expect(first.body.spec).toEqual({
      parentRefs: [{ name: 'edge', group, kind: 'Gateway' }],
      rules: [
        {
          matches: [{ path: { type: 'PathPrefix', value: '/' } }],
          backendRefs: [{ name: 'web', port: 80, group: '', kind: 'Service', weight: 1 }],
        },
      ],
    })
    expect(first.body.metadata.managedFields).toMatchObject([
      { fieldsV1: { 'f:spec': { 'f:parentRefs': {}, 'f:rules': {} } } },
    ])
    expect((await apply(path, route())).body).toEqual(first.body)
    expect((await apply(path, route(2))).body.metadata.generation).toBe(2)
  })

  it('gives a new Gateway the status of one that no controller has seen', async () => {
    const { emulator, apply } = fixture()
    emulator.seed(gatewayApiDefinitions('v1.5.1'))
    const listeners = [{ name: 'http', port: 80, protocol: 'HTTP' }]
    const gateway = {
      apiVersion: `${group}/v1`,
      kind: 'Gateway',
      metadata: { name: 'edge' },
      spec: { gatewayClassName: 'x', listeners },
    }
    const { body } = await apply(`/apis/${group}/v1/namespaces/shop/gateways/edge`, gateway)
    expect(body.status).toMatchObject({
      conditions: [{ type: 'Accepted', status: 'Unknown', reason: 'Pending' }, { type: 'Programmed' }],
    })
    expect(body.metadata.managedFields).toMatchObject([
      {
        fieldsV1: { 'f:spec': { 'f:gatewayClassName': {}, 'f:listeners': { 'k:{"name":"http"}': { 'f:port': {} } } } },
      },
    ])
  })
})
