import type { GateInput } from '../../../src/mesh-ca/gates.ts'
import type { CaRotation } from '../../../src/model/ca-rotation.ts'
import type { TrustDocument } from '../../../src/model/documents.ts'
import type { CaCertificate, CaSet } from '../../../src/model/mesh-ca.ts'
import { DAY, MINUTE, START } from './world.ts'

export const at = (ms: number) => new Date(START + ms).toISOString()

export function certificate(name: string, endsIn = 365 * DAY, lifetime = 365 * DAY): CaCertificate {
  return { serial: name, fingerprint: name, subject: name, notBefore: at(endsIn - lifetime), notAfter: at(endsIn) }
}

export function aSet(signer: string, root: string, change: Partial<CaSet> = {}): CaSet {
  return {
    rootCert: `${root}\n`,
    caCert: signer,
    certChain: signer,
    versions: { rootCert: `${signer}1`, caCert: `${signer}2`, certChain: `${signer}3`, caKey: `${signer}4` },
    roots: [certificate(root)],
    signer: certificate(signer),
    ...change,
  }
}

export function rotation(change: Partial<CaRotation> = {}): CaRotation {
  return {
    id: 'east-ca.r1',
    what: 'root',
    phase: 'widening',
    direction: 'on',
    reason: 'r',
    message: 'm',
    actor: { kind: 'person', id: 'ada', name: 'Ada' },
    from: aSet('sa', 'a'),
    root: { certificate: certificate('b'), pem: 'b\n' },
    startedAt: at(0),
    phaseSince: at(0),
    attempts: 0,
    ...change,
  }
}

export function trust(change: Partial<TrustDocument> = {}): TrustDocument {
  return {
    schema: 1,
    kind: 'trust',
    outbox: [],
    createdAt: at(0),
    updatedAt: at(0),
    ca: 'east-ca',
    cluster: 'east',
    state: 'seen',
    reason: 'Seen',
    message: 'Seen.',
    lookedAt: at(2 * MINUTE),
    bundles: [{ roots: ['a', 'b'], namespaces: 2, examples: ['x', 'y'] }],
    without: [],
    pods: { count: 2, oldestStart: at(-DAY), others: 'none' },
    attempts: 0,
    ...change,
  }
}

export const WIDE = { rootCert: 'a\nb\n', roots: ['a', 'b'], exact: false, signer: 'keep' } as const
export const NARROW = { rootCert: 'b\n', roots: ['b'], exact: true, signer: 'keep' } as const

export function input(change: Partial<GateInput> & { readonly on?: Partial<CaRotation> } = {}): GateInput {
  const { on, ...rest } = change
  const written = { writtenAt: at(MINUTE), written: aSet('sb', 'b', { signer: certificate('sb', 100 * DAY) }) }
  return {
    rotation: rotation({ ...written, ...on }),
    wanted: WIDE,
    trust: trust(),
    workloadTtlMs: DAY,
    now: START + 3 * MINUTE,
    ...rest,
  }
}
