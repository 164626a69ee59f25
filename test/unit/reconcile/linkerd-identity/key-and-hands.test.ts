import { beforeEach, describe, expect, it } from 'vitest'
import { PortError } from '../../../../src/ports/port-error.ts'
import { CONFIG_MAP, hash, IdentityWorld, NAMESPACE, SECRET, testAuthorities } from './identity-world.ts'

const MINUTE_MS = 60_000
const { a, issuerA, nextA, issuerB, both } = await testAuthorities()
let world: IdentityWorld

beforeEach(() => {
  world = new IdentityWorld()
})

describe('the key of an issuer', () => {
  it('is refused when it belongs to another certificate, and the issuer stays', async () => {
    await world.established(issuerA)
    await world.want(a.pem, { ...nextA, caKey: issuerB.caKey })
    await world.look()
    expect(world.live).toMatchObject({ crt: issuerA.caCert, key: issuerA.caKey })
    expect(world.trust).toMatchObject({ state: 'failed', reason: 'KeyMismatch' })
  })

  it('is looked for in the vault, in its version', async () => {
    await world.established(issuerA)
    await world.want(a.pem, nextA)
    const current = world.store.peek('mesh-ca', 'east-ca')?.current
    if (current) world.ca({ current: { ...current, versions: { ...current.versions, caKey: 'gone' } } })
    await world.look()
    expect(world.trust).toMatchObject({ state: 'failed', reason: 'VaultVersionMissing' })
    world.secrets.failOnce('readSecret', new PortError('denied', 'Key Vault', 'no'))
    world.later(MINUTE_MS)
    await world.look()
    expect(world.trust).toMatchObject({ state: 'failed', reason: 'VaultDenied' })
  })

  it('is in no document, event, message or error, whatever happens', async () => {
    const texts: string[] = []
    world.store.beforeWrite = (document) => void texts.push(JSON.stringify(document))
    await world.established(issuerA, 'linkerd')
    world.meshed('shop', 'web', hash(both))
    // A webhook quotes what it refuses.
    world.cluster.before = (request) => {
      if (request !== 'apply Secret') return
      throw new PortError(
        'invalid',
        'Kubernetes',
        `denied: ${nextA.caKey} ${Buffer.from(nextA.caKey).toString('base64')}`,
      )
    }
    await world.want(a.pem, nextA)
    await world.look()
    expect(world.trust).toMatchObject({ state: 'failed', reason: 'Rejected' })
    world.cluster.before = () => undefined
    for (const [anchors, issuer] of [
      [both, nextA],
      [both, issuerB],
    ] as const) {
      world.later(10 * MINUTE_MS)
      await world.want(anchors, issuer)
      await world.look()
    }
    // Another hand put key and certificate into one text.
    const text = Buffer.from(issuerB.caKey + issuerB.caCert).toString('base64')
    world.cluster.change('kubectl', 'Secret', SECRET, (secret) => ({
      ...secret,
      data: { ...(secret.data as object), 'crt.pem': text },
    }))
    world.ca({ current: undefined, anchors: undefined } as never)
    world.later(10 * MINUTE_MS)
    await world.look()
    expect(world.trust.found?.issuer).toBe(issuerB.caCert)
    const all = texts.join('\n')
    const lines = [issuerA, nextA, issuerB].flatMap(({ caKey }) => {
      const encoded = Buffer.from(caKey).toString('base64')
      return [...caKey.split('\n').filter((line) => line.length > 20 && !line.includes('-----')), encoded.slice(40, 80)]
    })
    expect(texts.length).toBeGreaterThan(3)
    expect(lines.length).toBeGreaterThan(6)
    expect(lines.filter((line) => all.includes(line))).toEqual([])
    expect(all).not.toContain('PRIVATE KEY')
  })
})

describe('a change by another hand', () => {
  beforeEach(() => world.established(issuerA))
  const change = (pem: string) =>
    world.cluster.change('kubectl-edit', 'ConfigMap', CONFIG_MAP, (object) => ({
      ...object,
      data: { 'ca-bundle.crt': pem },
    }))

  it('is undone and told, three times in ten minutes at most', async () => {
    for (let times = 1; times <= 3; times += 1) {
      change(`${a.pem}\n`)
      await world.look()
      expect(world.live.anchors).toBe(a.pem)
      expect(world.told()).toEqual(['certificate.drift-restored'])
      expect(world.trust.restores).toHaveLength(times)
      expect(world.trust.delivered?.at).toBe(new Date(world.clock.now()).toISOString())
      world.later(MINUTE_MS)
    }
    change(`${a.pem}\n`)
    await world.look()
    expect(world.live.anchors).toBe(`${a.pem}\n`)
    expect(world.trust).toMatchObject({ state: 'failed', reason: 'RestoredTooOften' })
    expect(world.trust.delivered).toBeUndefined()
    world.later(MINUTE_MS)
    await world.look()
    expect(world.trust.reason).toBe('RestoredTooOften')
    world.later(10 * MINUTE_MS)
    await world.look()
    expect(world.live.anchors).toBe(a.pem)
  })

  it('that took an object away is undone too', async () => {
    world.cluster.objects.delete(`v1/Secret/${NAMESPACE}/${SECRET}`)
    await world.look()
    expect(world.live).toMatchObject({ crt: issuerA.caCert, key: issuerA.caKey })
    expect(world.told()).toEqual(['certificate.drift-restored'])
  })

  it('of marks alone is undone without a word: Linkerd reads none of them', async () => {
    const { at } = world.trust.delivered ?? {}
    world.cluster.change(
      'kubectl',
      'Secret',
      SECRET,
      ({ metadata: { labels: _, ...metadata }, ...rest }) => ({ ...rest, metadata }) as never,
    )
    await world.look()
    expect(world.writes()).toEqual(['apply Secret'])
    expect(world.told()).toEqual([])
    expect(world.trust.delivered?.at).toBe(at)
  })
})

describe('two writers', () => {
  it('that meet on the cluster: the one that lost reads all again, and is done', async () => {
    await world.established(issuerA)
    await world.want(both, issuerA)
    let races = 0
    world.cluster.before = (request) => {
      if (request !== 'apply ConfigMap' || races > 0) return
      races += 1
      world.cluster.change('kubectl', 'ConfigMap', CONFIG_MAP, (object) => ({
        ...object,
        metadata: { ...object.metadata, labels: { ...object.metadata.labels, touched: 'yes' } },
      }))
    }
    await world.look()
    expect(races).toBe(1)
    expect(world.live.anchors).toBe(both)
    expect(world.trust.state).toBe('seen')
  })

  it('of which one always wins: the other says so and comes back', async () => {
    await world.established(issuerA)
    await world.want(both, issuerA)
    world.cluster.before = (request) => {
      if (request === 'apply ConfigMap') throw new PortError('precondition', 'Kubernetes', 'it has changed')
    }
    await world.look()
    expect(world.trust).toMatchObject({ state: 'failed', reason: 'WriteConflict' })
    expect(world.work()).toContainEqual(expect.stringMatching(/^trust in \d/))
  })

  it('of which one writes something else at once: that is told', async () => {
    await world.established(issuerA)
    await world.want(a.pem, nextA)
    world.cluster.afterWrite = (request) => {
      if (request === 'apply Secret') world.secret(issuerA, 'tls')
    }
    await world.look()
    expect(world.trust).toMatchObject({ state: 'failed', reason: 'ReadBackDiffers' })
  })
})
