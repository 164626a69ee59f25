import { type KubeObject, type KubeRef, refOf } from '../../model/kube.ts'
import type { Barrier, RenderInput, RenderStep } from '../provider.ts'
import { AUTHORIZATION_PARTS, authorizationPolicies } from './authorization.ts'
import { egressRules, serviceEntries, sidecar } from './egress.ts'
import { AUTHORIZATION_POLICY, PEER_AUTHENTICATION, SETTLE_MS } from './names.ts'
import { rateLimit } from './rate-limit.ts'
import { peerAuthentication, requestAuthentication } from './security.ts'
import { telemetry } from './telemetry.ts'

interface PolicySteps {
  /** What waits for nothing. */
  readonly early: readonly RenderStep[]
  /** What waits until proxies have taken something of `early`. */
  readonly late: readonly RenderStep[]
}

/**
 * What the policy asks for besides routes. A rule about tokens waits for what reads them, hosts wait for their TLS, and what
 * forbids unlisted hosts waits for the list.
 */
export function policySteps(input: RenderInput): PolicySteps {
  const authentication = requestAuthentication(input)
  const rules = egressRules(input)
  const entries = serviceEntries(input)
  const ruleOf = (entry: KubeObject) => rules.filter(({ metadata }) => metadata.name === entry.metadata.name)
  const plain = entries.filter((entry) => ruleOf(entry).length === 0)
  const withTls = entries.filter((entry) => ruleOf(entry).length > 0)
  return {
    early: [
      ...steps([peerAuthentication(input), authentication]),
      ...steps(rules),
      ...steps(plain),
      ...steps([telemetry(input), rateLimit(input)]),
    ],
    late: [
      ...steps(authorizationPolicies(input), [authentication]),
      ...withTls.flatMap((entry) => steps([entry], ruleOf(entry))),
      ...steps([sidecar(input)], entries),
    ],
  }
}

function steps(
  objects: readonly (KubeObject | undefined)[],
  after: readonly (KubeObject | undefined)[] = [],
): readonly RenderStep[] {
  const barriers = after.flatMap((object) => (object ? [settled(refOf(object))] : []))
  return objects.flatMap((object) => (object ? [{ object, barriers }] : []))
}

const STRICTNESS: readonly unknown[] = ['DISABLE', 'PERMISSIVE', 'STRICT']

/**
 * A render whose mutual TLS gets weaker: that comes after rules by caller, for they let nobody in whose name they do not
 * know. A policy that goes away altogether goes first.
 */
export function inPeerOrder(live: readonly KubeObject[], desired: readonly RenderStep[]): readonly RenderStep[] {
  const peer = desired.find(({ object }) => object.kind === PEER_AUTHENTICATION.kind)
  if (!peer || strictness(peer.object) >= strictness(live.find(({ kind }) => kind === PEER_AUTHENTICATION.kind)))
    return desired
  const rules = desired.filter(({ object }) => object.kind === AUTHORIZATION_POLICY.kind)
  const { namespace, name } = refOf(peer.object)
  const allow: KubeRef = {
    ...AUTHORIZATION_POLICY,
    ...(namespace === undefined ? {} : { namespace }),
    name: `${name}-${AUTHORIZATION_PARTS.allow}`,
  }
  const kept = rules.some(({ object }) => object.metadata.name === allow.name)
  const gone: readonly Barrier[] = kept ? [] : [{ kind: 'gone', object: allow, durationMs: SETTLE_MS }]
  const barriers = [...rules.map(({ object }) => settled(refOf(object))), ...gone]
  const others = desired.filter((step) => step !== peer)
  return [...others.slice(0, -1), { object: peer.object, barriers }, ...others.slice(-1)]
}

/** Where there is no policy of ours nobody knows; as if it were the strictest. */
function strictness(object: KubeObject | undefined): number {
  const { mode } = (object?.spec?.mtls ?? {}) as { readonly mode?: unknown }
  return mode === undefined ? STRICTNESS.length - 1 : STRICTNESS.indexOf(mode)
}

function settled(object: KubeRef): Barrier {
  return { kind: 'settled', object, durationMs: SETTLE_MS }
}
