import { beforeAll, expect, it } from 'vitest'
import type { Body } from './client.ts'
import { collections, objectOf, send, sendJson } from './client.ts'
import type { Ask } from './suite.ts'

/** Of the metadata-only representation of a list, or of one object. */
const metadataOnly = (kind: string) => ({ headers: { accept: `application/json;as=${kind};g=meta.k8s.io;v=v1` } })

export function listCases(ask: Ask): void {
  const path = () => collections.DestinationRule(ask().namespace)
  const list = async (query: string) => (await send(ask(), `${path()}?${query}`)).body
  const names = (body: Body) => body.items.map(({ metadata }) => metadata.name)
  const select = async (selector: string) => names(await list(`labelSelector=${encodeURIComponent(selector)}`))

  beforeAll(async () => {
    const objects = [
      ['a', { app: 'web', tier: 'front' }],
      ['b', { app: 'web', tier: 'back' }],
      ['c', { app: 'api' }],
      ['d', {}],
      ['e', { app: 'web', tier: 'front', extra: '' }],
    ] as const
    for (const [name, labels] of objects) {
      const object = objectOf('DestinationRule', name, { metadata: { labels }, spec: { host: name } })
      await sendJson(ask(), 'POST', path(), object)
    }
  })

  it('lists in order of names, with the revision of the list', async () => {
    const body = await list('')
    expect(body).toMatchObject({ kind: 'DestinationRuleList', apiVersion: 'networking.istio.io/v1' })
    expect(body.metadata.resourceVersion).toMatch(/^\d+$/)
    expect(names(body)).toEqual(['a', 'b', 'c', 'd', 'e'])
    expect(body.items[0]).toMatchObject({ kind: 'DestinationRule', apiVersion: 'networking.istio.io/v1' })
  })

  it('leaves kind and version out of the items of built-in types', async () => {
    const { body } = await send(ask(), collections.ConfigMap('kube-system'))
    expect(body).toMatchObject({ kind: 'ConfigMapList', apiVersion: 'v1' })
    for (const item of body.items) expect(item.kind).toBeUndefined()
  })

  it('lists over all namespaces', async () => {
    const { body } = await send(ask(), '/apis/networking.istio.io/v1/destinationrules')
    const here = body.items.filter((item) => item.metadata.namespace === ask().namespace)
    expect(here).toHaveLength(5)
  })

  it.each([
    ['app=web', ['a', 'b', 'e']],
    ['app==api', ['c']],
    ['app!=web', ['c', 'd']],
    ['app=web,tier=front', ['a', 'e']],
    ['app in (web, api)', ['a', 'b', 'c', 'e']],
    ['tier notin (front)', ['b', 'c', 'd']],
    ['app in (web),tier notin (back)', ['a', 'e']],
    ['tier', ['a', 'b', 'e']],
    ['!tier', ['c', 'd']],
    ['extra=', ['e']],
    ['app,!tier', ['c']],
  ])('selects %s', async (selector, expected) => {
    expect(await select(selector)).toEqual(expected)
  })

  it.each(['a b c', 'a===', 'in (', 'a in b', 'a,'])('refuses the selector %s', async (selector) => {
    const body = await list(`labelSelector=${encodeURIComponent(selector)}`)
    expect(body).toMatchObject({ kind: 'Status', reason: 'BadRequest', code: 400 })
  })

  it('selects by name and by namespace', async () => {
    expect(names(await list('fieldSelector=metadata.name%3Dc'))).toEqual(['c'])
    expect(names(await list('fieldSelector=metadata.name!%3Dc'))).toEqual(['a', 'b', 'd', 'e'])
    const query = `fieldSelector=metadata.namespace%3D${ask().namespace}`
    const { body } = await send(ask(), `/apis/networking.istio.io/v1/destinationrules?${query}`)
    expect(names(body)).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  it('refuses to select by another field', async () => {
    const body = await list('fieldSelector=spec.host%3Da')
    expect(body).toMatchObject({ code: 400, message: 'field label not supported: spec.host' })
    const builtIn = await send(ask(), `${collections.ConfigMap(ask().namespace)}?fieldSelector=data.a%3D1`)
    expect(builtIn.body.message).toBe(
      '"data.a" is not a known field selector: only "metadata.name", "metadata.namespace"',
    )
  })

  it('pages through a list that changes meanwhile as it was at first', async () => {
    const first = await list('limit=2')
    expect(names(first)).toEqual(['a', 'b'])
    expect(first.metadata).toMatchObject({ remainingItemCount: 3 })
    await sendJson(ask(), 'POST', path(), objectOf('DestinationRule', 'bb', { spec: { host: 'bb' } }))
    await send(ask(), `${path()}/d`, { method: 'DELETE' })
    const second = await list(`limit=2&continue=${first.metadata.continue}`)
    expect(names(second)).toEqual(['c', 'd'])
    expect(second.metadata.resourceVersion).toBe(first.metadata.resourceVersion)
    const third = await list(`limit=2&continue=${second.metadata.continue}`)
    expect(names(third)).toEqual(['e'])
    expect(third.metadata.continue ?? '').toBe('')
    expect(third.metadata.remainingItemCount).toBeUndefined()
    await send(ask(), `${path()}/bb`, { method: 'DELETE' })
    await sendJson(ask(), 'POST', path(), objectOf('DestinationRule', 'd', { spec: { host: 'd' } }))
  })

  it('does not count what remains of a selection', async () => {
    const body = await list('limit=1&labelSelector=app%3Dweb')
    expect(body.metadata.continue).toBeTruthy()
    expect(body.metadata.remainingItemCount).toBeUndefined()
  })

  it('refuses a continue token that it never gave', async () => {
    const body = await list('limit=2&continue=abc')
    expect(body).toMatchObject({ kind: 'Status', reason: 'BadRequest', code: 400 })
    expect(body.message).toContain('continue key is not valid')
  })

  it('shows nothing but metadata to those who ask so', async () => {
    const lists = await send(ask(), `${path()}?limit=1`, metadataOnly('PartialObjectMetadataList'))
    expect(lists.body).toMatchObject({ kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1' })
    expect(lists.body.metadata.continue).toBeTruthy()
    const one = await send(ask(), `${path()}/a`, metadataOnly('PartialObjectMetadata'))
    for (const object of [lists.body.items[0], one.body]) {
      expect(object).toMatchObject({ kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1' })
      expect(object?.metadata.name).toBe('a')
      expect(object?.metadata.labels).toEqual({ app: 'web', tier: 'front' })
      expect(Object.keys(object ?? {}).sort()).toEqual(['apiVersion', 'kind', 'metadata'])
    }
  })

  it('gives the whole object to those who would also take it', async () => {
    const accept = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json'
    const preferred = await send(ask(), path(), { headers: { accept } })
    expect(preferred.body.kind).toBe('PartialObjectMetadataList')
    const refused = await send(ask(), path(), { headers: { accept: 'text/html' } })
    expect(refused.status).toBe(406)
  })

  it('refuses revisions that are none or not yet there', async () => {
    expect(await list('resourceVersion=abc')).toMatchObject({ code: 400, reason: 'BadRequest' })
    expect(await list('limit=x')).toMatchObject({ code: 400, reason: 'BadRequest' })
  })

  it('lists nothing in a namespace that is not there', async () => {
    const { status, body } = await send(ask(), collections.ConfigMap('there-is-no-such-namespace'))
    expect(status).toBe(200)
    expect(body.items).toEqual([])
  })
}
