import { createHash } from 'node:crypto'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { PortError } from '../../../../src/ports/port-error.ts'
import { type TestRoot, testRoot } from '../../fakes/mesh-authority.ts'
import { clusterDocument } from '../world.ts'
import {
  CONFIG_MAP,
  fingerprint,
  IdentityWorld,
  NAMESPACE,
  SECRET,
  type TestIssuer,
  testIssuer,
} from './identity-world.ts'

const NOW = Date.parse('2026-05-01T10:00:00.000Z')
const DAY_MS = 86_400_000
const MINUTE_MS = 60_000
let [a, b]: [TestRoot, TestRoot] = [] as never
let [issuerA, nextA, issuerB]: [TestIssuer, TestIssuer, TestIssuer] = [] as never
let both = ''
let world: IdentityWorld

beforeAll(async () => {
  ;[a, b] = [await testRoot('a', NOW), await testRoot('b', NOW)]
  ;[issuerA, nextA, issuerB] = [await testIssuer(a, NOW), await testIssuer(a, NOW), await testIssuer(b, NOW)]
  both = a.pem + b.pem
})
beforeEach(() => {
  world = new IdentityWorld()
})

const hash = (text: string) => createHash('sha256').update(text).digest('hex')

/** As `linkerd install` left it, and as the CA wants it: A and its issuer. */
async function established(form: 'tls' | 'linkerd' = 'tls'): Promise<void> {
  world.configMap(a.pem)
  world.secret(issuerA, form)
  await world.want(a.pem, issuerA)
  await world.look()
  world.later(MINUTE_MS)
  world.cluster.forget()
}

describe('what a CA brings to Linkerd', () => {
  it('is nothing while the state machine wants nothing there; what lies there is told', async () => {
    world.configMap(a.pem)
    world.secret(issuerA, 'linkerd')
    await world.look()
    expect(world.writes()).toEqual([])
    expect(world.trust).toMatchObject({ state: 'seen', found: { anchors: a.pem, issuer: issuerA.caCert } })
    expect(world.trust.delivered).toBeUndefined()
  })

  it('are anchors and issuer in a cluster that has none yet, anchors first', async () => {
    await world.want(a.pem, issuerA)
    await world.look()
    expect(world.writes()).toEqual(['apply ConfigMap', 'apply Secret'])
    expect(world.live).toEqual({ anchors: a.pem, crt: issuerA.caCert, key: issuerA.caKey, ca: a.pem })
    expect(world.cluster.peek('Secret', SECRET)).toMatchObject({
      type: 'kubernetes.io/tls',
      metadata: {
        labels: { 'app.kubernetes.io/managed-by': 'meshwright' },
        annotations: { 'meshwright.io/certificate': 'east-ca', 'meshwright.io/revision': '101' },
      },
    })
    expect(world.trust.delivered).toEqual({
      revision: 101,
      anchors: hash(a.pem),
      issuer: fingerprint(issuerA.caCert),
      at: '2026-05-01T10:00:00.000Z',
    })
    expect(world.told()).toEqual(['certificate.delivered'])
  })

  it.each(['tls', 'linkerd'] as const)('keeps the form of the Secret that is there: %s', async (form) => {
    await established(form)
    await world.want(a.pem, nextA)
    await world.look()
    const names = form === 'tls' ? ['ca.crt', 'tls.crt', 'tls.key'] : ['crt.pem', 'key.pem']
    const secret = world.cluster.peek('Secret', SECRET)
    expect(Object.keys(secret?.data as object).sort()).toEqual(names)
    expect(secret?.type).toBe(form === 'tls' ? 'kubernetes.io/tls' : 'Opaque')
    expect(world.live).toMatchObject({ crt: nextA.caCert, key: nextA.caKey })
  })

  it('is written once: what is there needs neither a write nor the key from the vault', async () => {
    await established()
    const read = world.secrets.calls.filter((call) => call.startsWith('read')).length
    const { at } = world.trust.delivered ?? {}
    await world.look()
    expect(world.writes()).toEqual([])
    expect(world.secrets.calls.filter((call) => call.startsWith('read'))).toHaveLength(read)
    expect(world.trust.delivered?.at).toBe(at)
  })

  it('are the anchors alone while the mesh is taken over: its issuer stays as it is, unmarked', async () => {
    world.configMap(a.pem)
    world.secret(issuerA, 'linkerd')
    const before = world.cluster.peek('Secret', SECRET)
    world.wantAnchors(both)
    await world.look()
    expect(world.writes()).toEqual(['apply ConfigMap'])
    expect(world.live.anchors).toBe(both)
    expect(world.cluster.peek('Secret', SECRET)).toEqual(before)
    expect(world.trust.delivered).toMatchObject({ anchors: hash(both), issuer: fingerprint(issuerA.caCert) })
  })

  it('is left as it is when the CA is deleted', async () => {
    await established()
    world.ca({ deletingAt: '2026-05-01T11:00:00.000Z' })
    await world.look()
    expect(world.writes()).toEqual([])
    expect(world.live).toMatchObject({ anchors: a.pem, crt: issuerA.caCert })
  })
})

describe('the order of a rotation of the root', () => {
  it('is A and B, then the issuer of B, then B: one object changes at a time', async () => {
    await established()
    world.meshed('shop', 'web', hash(both))
    await world.want(both, issuerA)
    await world.look()
    expect(world.live).toEqual({ anchors: both, crt: issuerA.caCert, key: issuerA.caKey, ca: both })
    await world.want(both, issuerB)
    await world.look()
    expect(world.live).toEqual({ anchors: both, crt: issuerB.caCert, key: issuerB.caKey, ca: both })
    world.later(2 * DAY_MS)
    await world.want(b.pem, issuerB)
    await world.look()
    expect(world.live).toMatchObject({ anchors: b.pem, crt: issuerB.caCert })
    expect(world.trust).toMatchObject({ state: 'seen', delivered: { revision: 104, anchors: hash(b.pem) } })
  })

  it('never shows an issuer that stands on none of the anchors, whichever request was lost', async () => {
    const steps = [
      [a.pem, issuerA],
      [both, issuerA],
      [both, issuerB],
      [b.pem, issuerB],
    ] as const
    world.meshed('shop', 'web', hash(both))
    for (const [anchors, issuer] of steps) {
      await world.want(anchors, issuer)
      for (const lost of ['ConfigMap', 'Secret', 'none']) {
        world.cluster.afterWrite = (request) => {
          const { anchors: held = '', crt } = world.live
          const root = crt === issuerB.caCert ? b : a
          if (crt !== undefined) expect(held).toContain(root.pem)
          if (request.endsWith(lost)) throw new PortError('unavailable', 'Kubernetes', 'no answer')
        }
        await world.look()
        world.later(MINUTE_MS)
      }
      expect(world.live).toMatchObject({ anchors, crt: issuer.caCert, key: issuer.caKey })
      expect(world.trust).toMatchObject({ state: 'seen', delivered: { anchors: hash(anchors) } })
      world.later(2 * DAY_MS)
    }
  })

  it('goes on with the issuer alone after a crash between the two writes', async () => {
    await world.want(a.pem, issuerA)
    world.cluster.before = (request) => {
      if (request === 'apply Secret') throw new Error('killed')
    }
    await expect(world.look()).rejects.toThrow('killed')
    expect(world.live).toEqual({ anchors: a.pem })
    world.cluster.before = () => undefined
    world.cluster.forget()
    await world.look()
    expect(world.writes()).toEqual(['apply Secret'])
    expect(world.trust).toMatchObject({ state: 'seen', delivered: { revision: 101 } })
  })

  it('refuses what has no safe order, and says so', async () => {
    world.configMap(a.pem)
    world.secret(issuerA, 'tls')
    await world.want(b.pem, issuerB)
    await world.look()
    expect(world.writes()).toEqual([])
    expect(world.trust).toMatchObject({ state: 'failed', reason: 'NoSafeOrder' })
    expect(world.trust.delivered).toBeUndefined()
    expect(world.told()).toEqual(['certificate.delivery-held'])
  })

  it('refuses an issuer that stands on none of the anchors that are to be there', async () => {
    await established()
    await world.want(a.pem, issuerB)
    await world.look()
    expect(world.writes()).toEqual([])
    expect(world.trust).toMatchObject({ state: 'failed', reason: 'IssuerNotTrusted' })
  })

  it('holds an issuer of the next anchor while a Pod started with others, and goes on when it was restarted', async () => {
    world.configMap(a.pem)
    world.secret(issuerA, 'tls')
    world.meshed('shop', 'web', hash(a.pem))
    await world.want(both, issuerB)
    await world.look()
    expect(world.live).toMatchObject({ anchors: both, crt: issuerA.caCert })
    expect(world.trust).toMatchObject({ state: 'failed', reason: 'PodsLackAnchor', anchors: { [hash(a.pem)]: 1 } })
    expect(world.trust.message).toContain('shop/web')
    world.later(MINUTE_MS)
    world.meshed('shop', 'web', hash(both))
    await world.look()
    expect(world.live).toMatchObject({ anchors: both, crt: issuerB.caCert })
    expect(world.trust.state).toBe('seen')
  })

  it('takes an anchor away after the issuer that changed with it, once every Pod was restarted since', async () => {
    world.configMap(both)
    world.secret(issuerA, 'tls')
    world.meshed('shop', 'web', hash(both), DAY_MS)
    await world.want(b.pem, issuerB)
    await world.look()
    expect(world.live).toMatchObject({ anchors: both, crt: issuerB.caCert })
    expect(world.trust).toMatchObject({ state: 'failed', reason: 'AnchorInUse' })
    const written = new Date(world.clock.now()).toISOString()
    world.clock.at += 60 * MINUTE_MS
    world.meshed('shop', 'web', hash(both), 1000)
    // The fake forgets who wrote: as the server tells it.
    const live = world.cluster.objects.get(`v1/Secret/${NAMESPACE}/${SECRET}`)
    if (live) Object.assign(live.metadata, { managedFields: [{ manager: 'meshwright', time: written }] })
    await world.look()
    expect(world.live).toMatchObject({ anchors: b.pem, crt: issuerB.caCert })
    expect(world.trust.state).toBe('seen')
  })
})

describe('what holds a delivery', () => {
  const holds = async (reason: string) => {
    await world.look()
    expect(world.writes()).toEqual([])
    expect(world.trust).toMatchObject({ state: 'failed', reason, delivered: { revision: 101, anchors: hash(a.pem) } })
    // It was looked at all the same.
    expect(world.trust.found?.anchors).toBe(a.pem)
    return world.trust.message
  }
  beforeEach(async () => {
    await established()
    await world.want(both, issuerA)
  })

  it('is a cluster that is only observed', async () => {
    const { spec } = clusterDocument()
    world.store.put({ ...clusterDocument(), mesh: { provider: 'linkerd' }, spec: { ...spec, mode: 'observe' } })
    expect(await holds('ObserveMode')).toContain('mode observe')
  })

  it('is meshwright.io/hold on the namespace, or on one of the two', async () => {
    world.cluster.change('kubectl', 'Secret', SECRET, (secret) => held(secret))
    await holds('ObjectHeld')
    world.later(MINUTE_MS)
    world.cluster.change('kubectl', 'Namespace', NAMESPACE, (namespace) => held(namespace))
    await holds('NamespaceHeld')
  })

  it('is a newer revision on an object: another Meshwright wrote it', async () => {
    marked('ConfigMap', CONFIG_MAP, { 'meshwright.io/revision': '999' })
    expect(await holds('FencedOff')).toContain('revision 999')
  })

  it('is a freeze that covers configuration, of any namespace of the cluster', async () => {
    world.freeze({ namespaces: ['shop'] })
    expect(await holds('FreezeActive')).toContain('sale')
  })

  it('is no freeze when the issuer ends within 7 days, which is told', async () => {
    world.freeze({})
    world.clock.at += 360 * DAY_MS
    await world.look()
    expect(world.live.anchors).toBe(both)
    expect(world.told()).toContain('certificate.freeze-passed')
  })

  it('is no freeze on the way back', async () => {
    world.freeze({})
    world.rotate({ direction: 'back', phase: 'widening' })
    await world.look()
    expect(world.live.anchors).toBe(both)
  })

  it.each([
    ['Helm', 'ConfigMap', { annotations: { 'meta.helm.sh/release-name': 'linkerd' } }, 'identity.externalCA=true'],
    ['Helm', 'Secret', { labels: { 'app.kubernetes.io/managed-by': 'Helm' } }, 'identity.externalCA=true'],
    ['cert-manager', 'Secret', { annotations: { 'cert-manager.io/certificate-name': 'x' } }, 'Remove the Certificate'],
    ['trust-manager', 'ConfigMap', { labels: { 'trust.cert-manager.io/bundle': 'x' } }, 'Remove the Bundle'],
    ['Argo CD', 'ConfigMap', { annotations: { 'argocd.argoproj.io/tracking-id': 'x' } }, 'out of what Argo CD applies'],
    ['Flux', 'Secret', { labels: { 'kustomize.toolkit.fluxcd.io/name': 'x' } }, 'out of what Flux applies'],
    [
      'SealedSecret issuer',
      'Secret',
      { ownerReferences: [{ kind: 'SealedSecret', name: 'issuer' }] },
      '--cascade=orphan',
    ],
  ])('is %s, which would put its %s back: it is named with the way out', async (owner, kind, metadata, wayOut) => {
    world.cluster.change('other', kind, kind === 'Secret' ? SECRET : CONFIG_MAP, (object) => ({
      ...object,
      metadata: { ...object.metadata, ...metadata },
    }))
    const message = await holds('Conflict')
    expect(message).toContain(`${owner}`)
    expect(message).toContain(wayOut)
  })

  it('is no field manager alone: what Helm wrote once and keeps no more is taken over', async () => {
    world.configMap(a.pem, {}, 'helm')
    world.cluster.change('helm', 'ConfigMap', CONFIG_MAP, (object) => ({
      ...object,
      data: { 'ca-bundle.crt': `${a.pem}\n` },
    }))
    await world.look()
    expect(world.live.anchors).toBe(both)
  })

  it('is another CA of this cluster, until it is deleted', async () => {
    const east = world.store.peek('mesh-ca', 'east-ca')
    if (east) world.store.put({ ...east, name: 'old-ca' })
    marked('ConfigMap', CONFIG_MAP, { 'meshwright.io/certificate': 'old-ca' })
    expect(await holds('Conflict')).toContain('old-ca')
    world.store.documents.delete('mesh-ca old-ca')
    world.later(MINUTE_MS)
    await world.look()
    expect(world.live.anchors).toBe(both)
  })

  const held = (object: { metadata: object }) =>
    ({ ...object, metadata: { ...object.metadata, annotations: { 'meshwright.io/hold': 'true' } } }) as never
  const marked = (kind: string, name: string, annotations: Readonly<Record<string, string>>) =>
    world.cluster.change('meshwright', kind, name, (object) => ({
      ...object,
      metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, ...annotations } },
    }))
})

describe('the key of an issuer', () => {
  it('is refused when it belongs to another certificate, and the issuer stays', async () => {
    await established()
    await world.want(a.pem, { ...nextA, caKey: issuerB.caKey })
    await world.look()
    expect(world.live).toMatchObject({ crt: issuerA.caCert, key: issuerA.caKey })
    expect(world.trust).toMatchObject({ state: 'failed', reason: 'KeyMismatch' })
  })

  it('is looked for in the vault, in its version', async () => {
    await established()
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
    await established('linkerd')
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
  beforeEach(() => established())
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
    await established()
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
    await established()
    await world.want(both, issuerA)
    world.cluster.before = (request) => {
      if (request === 'apply ConfigMap') throw new PortError('precondition', 'Kubernetes', 'it has changed')
    }
    await world.look()
    expect(world.trust).toMatchObject({ state: 'failed', reason: 'WriteConflict' })
    expect(world.work()).toContainEqual(expect.stringMatching(/^trust in \d/))
  })

  it('of which one writes something else at once: that is told', async () => {
    await established()
    await world.want(a.pem, nextA)
    world.cluster.afterWrite = (request) => {
      if (request === 'apply Secret') world.secret(issuerA, 'tls')
    }
    await world.look()
    expect(world.trust).toMatchObject({ state: 'failed', reason: 'ReadBackDiffers' })
  })
})
