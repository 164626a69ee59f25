import { expect, it } from 'vitest'
import { collections, send, sendJson } from './client.ts'
import type { Ask } from './suite.ts'

const reviews = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'
const nobody = { headers: { authorization: '' } }

export function accessCases(ask: Ask): void {
  it('refuses a token it does not know', async () => {
    const { status, body } = await send(ask(), '/version', { headers: { authorization: 'Bearer nonsense' } })
    expect(status).toBe(401)
    expect(body).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'Unauthorized',
      reason: 'Unauthorized',
      code: 401,
    })
  })

  it('tells its version to everybody', async () => {
    expect((await send(ask(), '/version', nobody)).status).toBe(200)
  })

  it('says who may not do what, and where', async () => {
    const path = collections.VirtualService(ask().namespace)
    const { status, body } = await send(ask(), `${path}/web`, nobody)
    expect(status).toBe(403)
    expect(body).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message:
        'virtualservices.networking.istio.io "web" is forbidden: User "system:anonymous" cannot get resource ' +
        `"virtualservices" in API group "networking.istio.io" in the namespace "${ask().namespace}"`,
      reason: 'Forbidden',
      details: { name: 'web', group: 'networking.istio.io', kind: 'virtualservices' },
      code: 403,
    })
  })

  it('names the verb of a list and the scope of the cluster', async () => {
    const { body } = await send(ask(), '/api/v1/namespaces', nobody)
    expect(body.message).toBe(
      'namespaces is forbidden: User "system:anonymous" cannot list resource "namespaces" in API group "" at the cluster scope',
    )
    expect(body.details).toEqual({ kind: 'namespaces' })
  })

  it('takes a list of one name for a question about that name', async () => {
    const { body } = await send(ask(), '/api/v1/configmaps?fieldSelector=metadata.name%3Droots', nobody)
    expect(body.message).toBe(
      'configmaps "roots" is forbidden: User "system:anonymous" cannot list resource "configmaps" in API group "" at the cluster scope',
    )
    const others = await send(ask(), '/api/v1/configmaps?fieldSelector=metadata.name!%3Droots', nobody)
    expect(others.body.message).toContain('configmaps is forbidden')
  })

  it('names the subresource that may not be written', async () => {
    const path = `${collections.Pod(ask().namespace)}/a/status`
    const { body } = await send(ask(), path, { ...nobody, method: 'PATCH' })
    expect(body.message).toContain('cannot patch resource "pods/status" in API group ""')
  })

  it('names a path that may not be read', async () => {
    const { status, body } = await send(ask(), '/apis', nobody)
    expect(status).toBe(403)
    expect(body).toMatchObject({
      message: 'forbidden: User "system:anonymous" cannot get path "/apis"',
      details: {},
    })
  })

  it('reviews what the asker may do', async () => {
    const resourceAttributes = { namespace: ask().namespace, verb: 'get', group: 'apps', resource: 'deployments' }
    const { status, body } = await sendJson(ask(), 'POST', reviews, {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes },
    })
    expect(status).toBe(201)
    expect(body).toMatchObject({
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes },
      status: { allowed: true },
    })
  })

  it('refuses a review that asks for nothing', async () => {
    const { status, body } = await sendJson(ask(), 'POST', reviews, { spec: {} })
    expect(status).toBe(422)
    expect(body.details.causes[0]?.field).toBe('spec.resourceAttributes')
  })

  it('keeps no reviews to read', async () => {
    expect((await send(ask(), reviews)).status).toBe(405)
  })
}
