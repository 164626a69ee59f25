import { expect, it } from 'vitest'
import { applier } from './apply-cases.ts'
import { collections, mergeType, objectOf, send, sendJson } from './client.ts'
import type { Ask } from './suite.ts'

const TLS = 'kubernetes.io/tls'
const pair = (text: string) => ({ 'tls.crt': base64(`certificate ${text}`), 'tls.key': base64(`key ${text}`) })

/** What the delivery of certificates relies on. */
export function secretCases(ask: Ask): void {
  const apply = applier(ask)
  const at = (name: string) => `${collections.Secret(ask().namespace)}/${name}`

  it('takes key and certificate in one apply, and puts the next pair in their place in one', async () => {
    const first = await apply('Secret', 'tls', 'red', { type: TLS, data: pair('1') })
    expect(first.status).toBe(201)
    expect(first.body).toMatchObject({ type: TLS, data: pair('1') })
    expect(first.body.metadata.generation).toBeUndefined()
    expect(first.body.metadata.managedFields?.[0]?.fieldsV1).toEqual({
      'f:data': { 'f:tls.crt': {}, 'f:tls.key': {} },
      'f:type': {},
    })
    const { uid, resourceVersion } = first.body.metadata
    const metadata = { uid, resourceVersion }
    const second = await apply('Secret', 'tls', 'red', { metadata, type: TLS, data: pair('2') })
    expect(second.status).toBe(200)
    expect(second.body.data).toEqual(pair('2'))
    expect(second.body.metadata.uid).toBe(uid)
    expect(second.body.metadata.resourceVersion).not.toBe(resourceVersion)
    const stale = await apply('Secret', 'tls', 'red', { metadata, type: TLS, data: pair('3') })
    expect(stale.status).toBe(409)
    expect((await send(ask(), at('tls'))).body.data).toEqual(pair('2'))
  })

  it('keeps the resource version when the same pair is applied again', async () => {
    const first = await apply('Secret', 'same', 'red', { type: TLS, data: pair('1') })
    const second = await apply('Secret', 'same', 'red', { type: TLS, data: pair('1') })
    expect(second.body).toEqual(first.body)
  })

  it('refuses a pair of which a part is missing', async () => {
    const { status, body } = await apply('Secret', 'half', 'red', { type: TLS, data: { 'tls.crt': base64('x') } })
    expect(status).toBe(422)
    expect(body).toMatchObject({
      reason: 'Invalid',
      message: 'Secret "half" is invalid: data[tls.key]: Required value',
      details: { causes: [{ reason: 'FieldValueRequired', message: 'Required value', field: 'data[tls.key]' }] },
    })
    const none = await sendJson(ask(), 'POST', at('').slice(0, -1), objectOf('Secret', 'none', { type: TLS }))
    expect(none.status).toBe(422)
    expect(none.body.message).toBe(
      'Secret "none" is invalid: [data[tls.crt]: Required value, data[tls.key]: Required value]',
    )
  })

  it('refuses to take a part of a pair away', async () => {
    await apply('Secret', 'whole', 'red', { type: TLS, data: pair('1') })
    const patch = { data: { 'tls.key': null } }
    const { status, body } = await sendJson(ask(), 'PATCH', at('whole'), patch, mergeType)
    expect(status).toBe(422)
    expect(body.message).toBe('Secret "whole" is invalid: data[tls.key]: Required value')
  })

  it('refuses another type for a Secret that is there', async () => {
    await apply('Secret', 'typed', 'red', { type: 'Opaque', data: pair('1') })
    const { status, body } = await apply('Secret', 'typed', 'red', { type: TLS, data: pair('1') })
    expect(status).toBe(422)
    expect(body.message).toBe(`Secret "typed" is invalid: type: Invalid value: "${TLS}": field is immutable`)
  })

  it('tells whose a changed key is, and gives it back by force only', async () => {
    await apply('Secret', 'edited', 'red', { type: TLS, data: pair('1') })
    const data = { 'tls.key': base64('broken') }
    const edited = await sendJson(ask(), 'PATCH', `${at('edited')}?fieldManager=editor`, { data }, mergeType)
    expect(edited.status).toBe(200)
    const hand = edited.body.metadata.managedFields.find((one: { manager: string }) => one.manager === 'editor')
    expect(hand?.fieldsV1).toEqual({ 'f:data': { 'f:tls.key': {} } })
    const asked = await apply('Secret', 'edited', 'red', { type: TLS, data: pair('1') })
    expect(asked.status).toBe(409)
    expect(asked.body.message).toContain('.data.tls.key')
    expect(asked.body.message).not.toContain(pair('1')['tls.key'])
    const forced = await apply('Secret', 'edited', 'red', { type: TLS, data: pair('1') }, '&force=true')
    expect(forced.body.data).toEqual(pair('1'))
  })

  it('shows metadata alone to those who ask for no more', async () => {
    const metadata = { labels: { 'app.kubernetes.io/managed-by': 'secret-cases' } }
    await apply('Secret', 'listed', 'red', { metadata, type: TLS, data: pair('1') })
    const accept = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1'
    const path = `${collections.Secret(ask().namespace)}?labelSelector=app.kubernetes.io/managed-by%3Dsecret-cases`
    const { status, text, body } = await send(ask(), path, { headers: { accept } })
    expect(status).toBe(200)
    expect(body.items).toHaveLength(1)
    expect(body.items?.[0]?.data).toBeUndefined()
    expect(text).not.toContain(pair('1')['tls.key'])
  })

  it('refuses what is not base64', async () => {
    const parts = { type: TLS, data: { ...pair('1'), 'tls.key': 'not base64!' } }
    const posted = await sendJson(ask(), 'POST', at('').slice(0, -1), objectOf('Secret', 'wild', parts))
    expect(posted.status).toBe(400)
    expect(posted.body.message).toBe(
      'Secret in version "v1" cannot be handled as a Secret: illegal base64 data at input byte 3',
    )
  })
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
