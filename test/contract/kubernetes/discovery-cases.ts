import { expect, it } from 'vitest'
import { send } from './client.ts'
import type { Ask } from './suite.ts'

export function discoveryCases(ask: Ask): void {
  it('says its version as major, minor and gitVersion', async () => {
    const { status, body } = await send(ask(), '/version')
    expect(status).toBe(200)
    expect(body.gitVersion).toMatch(/^v\d+\.\d+\.\d+/)
    expect(body.gitVersion.startsWith(`v${body.major}.${body.minor}.`)).toBe(true)
  })

  it('lists the core versions and the groups', async () => {
    expect((await send(ask(), '/api')).body).toMatchObject({ kind: 'APIVersions', versions: ['v1'] })
    const { body } = await send(ask(), '/apis')
    expect(body).toMatchObject({ kind: 'APIGroupList', apiVersion: 'v1' })
    const names = body.groups.map((group) => group.name)
    expect(names).toEqual(expect.arrayContaining(['apps', 'autoscaling', 'policy', 'discovery.k8s.io']))
    expect(names).toEqual(expect.arrayContaining(['networking.istio.io', 'security.istio.io', 'apiextensions.k8s.io']))
  })

  it('orders the versions of a group from the most stable on', async () => {
    const { body } = await send(ask(), '/apis/networking.istio.io')
    expect(body).toEqual({
      kind: 'APIGroup',
      apiVersion: 'v1',
      name: 'networking.istio.io',
      versions: ['v1', 'v1beta1', 'v1alpha3'].map((version) => ({
        groupVersion: `networking.istio.io/${version}`,
        version,
      })),
      preferredVersion: { groupVersion: 'networking.istio.io/v1', version: 'v1' },
    })
  })

  it.each([
    ['/api/v1', 'v1', 'pods', 'Pod', true],
    ['/api/v1', 'v1', 'namespaces', 'Namespace', false],
    ['/apis/apps/v1', 'apps/v1', 'deployments', 'Deployment', true],
    ['/apis/discovery.k8s.io/v1', 'discovery.k8s.io/v1', 'endpointslices', 'EndpointSlice', true],
    ['/apis/networking.istio.io/v1', 'networking.istio.io/v1', 'virtualservices', 'VirtualService', true],
    ['/apis/security.istio.io/v1', 'security.istio.io/v1', 'peerauthentications', 'PeerAuthentication', true],
    [
      '/apis/apiextensions.k8s.io/v1',
      'apiextensions.k8s.io/v1',
      'customresourcedefinitions',
      'CustomResourceDefinition',
      false,
    ],
  ])('lists at %s the resources of %s, among them %s', async (path, groupVersion, name, kind, namespaced) => {
    const { body } = await send(ask(), path)
    expect(body).toMatchObject({ kind: 'APIResourceList', groupVersion })
    const found = body.resources.find((resource) => resource.name === name)
    expect(found).toMatchObject({ kind, namespaced, singularName: kind.toLowerCase() })
    expect(found?.verbs).toEqual(
      expect.arrayContaining(['create', 'delete', 'get', 'list', 'patch', 'update', 'watch']),
    )
  })

  it('offers the status as a resource of its own', async () => {
    const { body } = await send(ask(), '/apis/networking.istio.io/v1')
    const found = body.resources.find((resource) => resource.name === 'virtualservices/status')
    expect([...(found?.verbs ?? [])].sort()).toEqual(['get', 'patch', 'update'])
  })

  it('shows a CustomResourceDefinition with its served versions', async () => {
    const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/virtualservices.networking.istio.io'
    const { status, body } = await send(ask(), path)
    expect(status).toBe(200)
    expect(body.spec.names).toMatchObject({ kind: 'VirtualService', plural: 'virtualservices' })
    expect(body.spec.versions).toEqual(expect.arrayContaining([expect.objectContaining({ name: 'v1', served: true })]))
    expect(body.status.conditions).toEqual(
      expect.arrayContaining([expect.objectContaining({ type: 'Established', status: 'True' })]),
    )
  })

  it('answers a group that nothing serves in plain text', async () => {
    for (const path of ['/apis/nothing.example.com/v1', '/apis/nothing.example.com/v1/namespaces/x/things/y']) {
      const { status, headers, text } = await send(ask(), path)
      expect(status).toBe(404)
      expect(headers.get('content-type')).toContain('text/plain')
      expect(text.trim()).toBe('404 page not found')
    }
  })

  it('answers an unknown resource of a built-in group with a Status', async () => {
    const { status, body } = await send(ask(), '/apis/apps/v1/nothings')
    expect(status).toBe(404)
    expect(body).toMatchObject({
      kind: 'Status',
      reason: 'NotFound',
      message: 'the server could not find the requested resource',
    })
  })
}
