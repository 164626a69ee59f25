import { makeCaKey } from '../../../src/authority/ca-key.ts'
import { issueIntermediate, issueRoot } from '../../../src/authority/issue.ts'
import { localSigner } from '../../../src/authority/signature.ts'
import { putMeshCa } from '../../../src/mesh-ca/put-mesh-ca.ts'
import { isCaRotationOver } from '../../../src/model/ca-rotation.ts'
import { type LinkerdIdentitySpec, linkerdIdentitySpec } from '../../../src/model/mesh-ca.ts'
import { aCluster } from '../fakes/documents.ts'
import { LinkerdMesh } from './linkerd-mesh.ts'
import { createWorld, DAY, MINUTE, OPERATOR, START } from './world.ts'

export const SECRETS = {
  rootCert: 'east-ca-anchors',
  certChain: 'east-ca-issuer-chain',
  caCert: 'east-ca-issuer',
  caKey: 'east-ca-issuer-key',
} as const

export function aLinkerdSpec(change: Readonly<Record<string, unknown>> = {}): LinkerdIdentitySpec {
  const root = { kind: 'vault-key', hsm: false }
  return linkerdIdentitySpec.parse({ purpose: 'linkerd-identity', cluster: 'east', root, ...change })
}

/** What `linkerd install` makes: an anchor and an issuer, whose keys are in no vault. */
export async function othersCa(now = START, endsIn = 365 * DAY) {
  const [rootKey, key] = await Promise.all([1, 2].map(() => makeCaKey({ type: 'EC', curve: 'P-256' })))
  if (!rootKey || !key) throw new Error('two keys were made')
  const signer = localSigner(rootKey.pem)
  const terms = { notBefore: now - 300 * DAY, notAfter: now + endsIn, serial: Buffer.alloc(16, 5) }
  const root = await issueRoot({ commonName: 'root.linkerd.cluster.local' }, rootKey.publicKey, terms, signer)
  if (!root.ok) throw new Error(root.message)
  const subject = { name: { commonName: 'identity.linkerd.cluster.local' }, publicKey: key.publicKey }
  const issuer = await issueIntermediate(subject, root.value, { ...terms, serial: Buffer.alloc(16, 6) }, signer)
  if (!issuer.ok) throw new Error(issuer.message)
  return { anchors: root.value, issuer: issuer.value, key: key.pem }
}

export type LinkerdWorld = ReturnType<typeof createLinkerdWorld>

/** Cluster east with a Linkerd, an empty vault, and time that the test lets pass. */
export function createLinkerdWorld({ ttlMs = DAY }: { readonly ttlMs?: number } = {}) {
  const base = createWorld({ ttlMs })
  const { store, deps, now, pass, document, rotation, advance, rotate, act, events, vault } = base
  store.put(aCluster('east', { mesh: { provider: 'linkerd', namespace: 'linkerd' } }))
  const mesh = new LinkerdMesh(ttlMs)
  const see = () => void store.put(mesh.look(now()))
  const live = (ms: number) => {
    pass(ms)
    mesh.deliver(document(), now())
    mesh.poll(now())
    mesh.renew(now())
  }
  const world = {
    ...{ store, deps, now, pass, document, rotation, advance, rotate, act, events, vault, mesh, see, live },
    phases: () =>
      store.kept
        .filter(({ type }) => type === 'certificate.phase')
        .map(({ data }) => `${data?.direction} ${data?.phase}`),
    condition: (type: string) => document().conditions.find((one) => one.type === type),
    async put(change: Readonly<Record<string, unknown>> = {}) {
      const spec = aLinkerdSpec({ workloadTtl: `${ttlMs / 1000}s`, ...change })
      const put = await putMeshCa(deps, 'east-ca', spec, OPERATOR)
      if (!put.ok) throw new Error(JSON.stringify(put.failure))
    },
    /** A Linkerd of others with four Pods, and its CA registered: nothing has been done yet. */
    async found(change: Readonly<Record<string, unknown>> = {}) {
      const made = await othersCa(now())
      mesh.install(made.anchors, made.issuer, now())
      for (const part of [0, 0.15, 0.3, 0.45]) mesh.start(now(), part * ttlMs)
      pass(MINUTE)
      await world.put(change)
      see()
      return made
    },
    /** A Linkerd that is ours: its anchor's key is in the vault. */
    async established(change: Readonly<Record<string, unknown>> = {}) {
      await world.found(change)
      await world.until()
    },
    /** Restarts what is waited for, as people would. */
    restart() {
      const { reason } = rotation() ?? {}
      // Without events and metrics only a start tells that identity has taken an issuer.
      if (reason === 'WaitsForControlPlane' || reason === 'NotTakenByIdentity') mesh.restartControlPlane(now())
      if (reason === 'WaitsForRestarts') mesh.restartAll(now())
    },
    /** Lets time pass until the rotation is over, or in a phase; `check` is called at every step. */
    async until(phase?: string, check: () => void = () => undefined, stepMs = 30 * MINUTE) {
      for (let turn = 0; turn < 1000; turn += 1) {
        await advance()
        check()
        const at = rotation()
        if (at?.phase === phase || (at && isCaRotationOver(at))) return
        live(stepMs)
        world.restart()
        check()
        see()
      }
      throw new Error(`it stays in ${rotation()?.phase}: ${rotation()?.message}`)
    },
  }
  return world
}
