import type { EmulatorContext, Table } from '../emulator.ts'
import { isObject, type KubernetesObject, valueAt } from '../kubernetes/json.ts'
import type { KubernetesEmulator } from '../kubernetes/kubernetes-emulator.ts'
import type { SeriesSource } from '../prometheus/series-source.ts'
import { type IssuerNews, runController, secretHash } from './controllers.ts'
import { dropOldEvents, postEvent } from './events.ts'
import type { IssuerTexts } from './issuer.ts'
import { linkerdSeries } from './linkerd-series.ts'
import { certify, failingPairs, type Lifetime, textOf, withChains } from './proxies.ts'
import { EMPTY, hashOf, type Identity, type LinkerdState, type PodProxy, seenBy, withVersion } from './state.ts'

/** Linkerd's identity on one cluster: its controllers, its injector and the proxies of all Pods. */
export interface LinkerdEmulator {
  /** Does what is due: controllers start, take issuers, proxies get leaves. Writes of its objects are seen at once. */
  advance(): void
  /** PEM of the anchors that the injector gives to a Pod that is made now, as it lies in the ConfigMap that it has mounted. */
  injectedAnchors(): string
  readonly metrics: SeriesSource
  /** By uid of the Pod. */
  proxies(): ReadonlyMap<string, PodProxy>
  /** By uid of the Pod. */
  controllers(): ReadonlyMap<string, Identity>
  /** Pairs of Pods of which the first cannot connect to the second now: one does not trust what the other shows. */
  failingPairs(): readonly (readonly [client: PodProxy, server: PodProxy])[]
  /** How many connections have failed so far. */
  failures(): number
  /** What its controllers said of their issuers, the newest last. */
  log(): readonly string[]
}

export interface LinkerdOptions {
  readonly kubernetes: Pick<KubernetesEmulator, 'list' | 'get' | 'seed' | 'remove' | 'onWrite'>
  /** Keeps clusters apart that share one storage. */
  readonly name: string
  /** Of the control plane. */
  readonly namespace?: string
  /** From a write until the kubelet has brought it to Pods that run: a minute or more on a real one. */
  readonly mountMs?: number
}

export const CONTROL_PLANE_OF = 'linkerd.io/control-plane-ns'
export const COMPONENT = 'linkerd.io/control-plane-component'
export const ANCHORS_HASH = 'linkerd.io/trust-root-sha256'
export const ANCHORS_MAP = 'linkerd-identity-trust-roots'
export const ISSUER_SECRET = 'linkerd-identity-issuer'
const MOST_POINTS = 500
const MOST_LINES = 100

/**
 * Behaves as linkerd2 of August 2026 does (`controller/cmd/identity`, `pkg/identity`, `controller/proxy-injector`): controllers
 * and proxies know the anchors of their own start and no others. Its state is kept: a restart of the sandbox is none of theirs.
 */
export function linkerdEmulator(context: EmulatorContext, options: LinkerdOptions): LinkerdEmulator {
  const { kubernetes, name, namespace = 'linkerd', mountMs = 0 } = options
  const table = context.storage.table(`linkerd-${name}`)
  const state = () => readState(table)
  const advance = () => {
    const before = state()
    const news: IssuerNews[] = []
    const stepped = step(before, { kubernetes, namespace, mountMs, now: context.now() }, (one) => news.push(one))
    const next = { ...stepped, log: [...before.log, ...news.map(({ message }) => message)].slice(-MOST_LINES) }
    if (JSON.stringify(next) !== JSON.stringify(before)) table.put('state', next)
    for (const one of news) postEvent(kubernetes, namespace, one, context.now())
    dropOldEvents(kubernetes, namespace, context.now())
  }
  kubernetes.onWrite(({ object, verb }) => {
    const { kind, metadata } = object
    if (metadata.namespace !== namespace) return
    const isMounted = metadata.name === ANCHORS_MAP || metadata.name === ISSUER_SECRET
    if (isMounted || (kind === 'Pod' && verb !== 'update')) advance()
  })
  return {
    advance,
    injectedAnchors() {
      const { anchorVersions, proxies, ...rest } = state()
      const [injector] = podsOf(kubernetes, namespace, 'proxy-injector')
      const since = proxies[injector?.metadata.uid ?? '']?.since ?? 0
      return textOf(rest, seenBy(anchorVersions, { since, now: context.now(), mountMs }) ?? '')
    },
    metrics: linkerdSeries(() => state().points, context.now),
    proxies: () => new Map(Object.entries(state().proxies)),
    controllers: () => new Map(Object.entries(state().identities)),
    failingPairs: () => failingPairs(state(), context.now()),
    failures: () => state().failures,
    log: () => state().log,
  }
}

function readState(table: Table): LinkerdState {
  return (table.get('state') as LinkerdState | undefined) ?? EMPTY
}

interface Surroundings {
  readonly kubernetes: LinkerdOptions['kubernetes']
  readonly namespace: string
  readonly mountMs: number
  readonly now: number
}

function step(before: LinkerdState, around: Surroundings, tell: (news: IssuerNews) => void): LinkerdState {
  const mounted = look(before, around)
  const started = { ...mounted, proxies: startProxies(mounted, around) }
  const identities = runControllers(started, around, tell)
  const texts = withChains(started, identities)
  const running = { ...started, identities, texts }
  const lifetime = lifetimeOf(controllerArgs(around))
  const proxies: Record<string, PodProxy> = {}
  for (const [uid, proxy] of Object.entries(running.proxies))
    proxies[uid] = certify(running, uid, proxy, { now: around.now, lifetime })
  return withPoint(prune({ ...running, proxies }), around.now)
}

/** What lies in the two objects that the control plane mounts. */
function look(before: LinkerdState, around: Surroundings): LinkerdState {
  const { kubernetes, namespace, now } = around
  const map = kubernetes.get('v1', 'ConfigMap', namespace, ANCHORS_MAP)
  const anchors = String(valueAt(map, ['data', 'ca-bundle.crt']) ?? '')
  return {
    ...before,
    texts: { ...before.texts, [hashOf(anchors)]: anchors },
    anchorVersions: withVersion(before.anchorVersions, hashOf(anchors), now),
    secretVersions: withVersion(before.secretVersions, secretHash(issuerTexts(around)), now),
  }
}

/** Both forms of the Secret hold the same; the controller reads the one that its arguments say. */
function issuerTexts(around: Surroundings): IssuerTexts {
  const secret = around.kubernetes.get('v1', 'Secret', around.namespace, ISSUER_SECRET)
  const read = (name: string) => Buffer.from(String(valueAt(secret, ['data', name]) ?? ''), 'base64').toString('utf8')
  return controllerArgs(around).scheme === 'kubernetes.io/tls'
    ? { certificate: read('tls.crt'), key: read('tls.key') }
    : { certificate: read('crt.pem'), key: read('key.pem') }
}

interface ControllerArgs {
  readonly scheme?: string
  readonly lifetime?: string
  readonly skew?: string
}

function controllerArgs({ kubernetes, namespace }: Surroundings): ControllerArgs {
  const deployment = kubernetes.get('apps/v1', 'Deployment', namespace, 'linkerd-identity')
  const containers = valueAt(deployment, ['spec', 'template', 'spec', 'containers'])
  const [first] = Array.isArray(containers) ? containers.filter(isObject) : []
  const args = Array.isArray(first?.args) ? first.args.map(String) : []
  const arg = (name: string) => args.find((one) => one.startsWith(`-${name}=`))?.slice(name.length + 2)
  const [scheme, lifetime] = [arg('identity-scheme'), arg('identity-issuance-lifetime')]
  const skew = arg('identity-clock-skew-allowance')
  return { ...(scheme ? { scheme } : {}), ...(lifetime ? { lifetime } : {}), ...(skew ? { skew } : {}) }
}

function lifetimeOf({ lifetime = '24h0m0s', skew = '20s' }: ControllerArgs): Lifetime {
  return { ttlMs: goDuration(lifetime), skewMs: goDuration(skew) }
}

/** `24h0m0s`, in milliseconds. */
function goDuration(text: string): number {
  const unit: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000 }
  const parts = [...text.matchAll(/(\d+)([hms])/g)]
  return parts.reduce((sum, [, count, letter = 's']) => sum + Number(count) * (unit[letter] ?? 0), 0)
}

/** The Pods with a proxy that are there. A new one of the control plane has the anchors of now, any other those of its annotation. */
function startProxies(state: LinkerdState, { kubernetes, now }: Surroundings): LinkerdState['proxies'] {
  const meshed = kubernetes
    .list('v1', 'Pod')
    .filter(({ metadata }) => metadata.labels?.[CONTROL_PLANE_OF] !== undefined)
  return Object.fromEntries(
    meshed.map(({ metadata: { uid = '', namespace, name, labels, annotations } }) => {
      const known = state.proxies[uid]
      if (known) return [uid, known]
      const own = labels?.[COMPONENT] === undefined ? annotations?.[ANCHORS_HASH] : undefined
      const anchors = own ?? state.anchorVersions.at(-1)?.hash ?? ''
      return [uid, { pod: `${namespace}/${name}`, since: now, anchors, asksAt: now }]
    }),
  )
}

function runControllers(
  state: LinkerdState,
  around: Surroundings,
  tell: (news: IssuerNews) => void,
): LinkerdState['identities'] {
  const { kubernetes, namespace } = around
  const texts = issuerTexts(around)
  const secret = { hash: secretHash(texts), texts }
  return Object.fromEntries(
    podsOf(kubernetes, namespace, 'identity').map(({ metadata: { uid = '', name = '' } }) => {
      const pod = { name, since: state.proxies[uid]?.since ?? around.now }
      const { identity, news } = runController(state, pod, state.identities[uid], secret, around)
      if (news) tell(news)
      return [uid, identity]
    }),
  )
}

function podsOf(kubernetes: LinkerdOptions['kubernetes'], namespace: string, component: string): KubernetesObject[] {
  return kubernetes.list('v1', 'Pod', namespace).filter(({ metadata }) => metadata.labels?.[COMPONENT] === component)
}

/** Only texts that somebody still holds are kept. */
function prune(state: LinkerdState): LinkerdState {
  const proxies = Object.values(state.proxies)
  const held = new Set([
    ...state.anchorVersions.map(({ hash }) => hash),
    ...Object.values(state.identities).map(({ anchors }) => anchors),
    ...proxies.flatMap(({ anchors, leaf }) => (leaf ? [anchors, leaf.chain] : [anchors])),
  ])
  const texts = Object.fromEntries(Object.entries(state.texts).filter(([hash]) => held.has(hash)))
  return { ...state, texts }
}

function withPoint(state: LinkerdState, now: number): LinkerdState {
  const failures = state.failures + failingPairs(state, now).length
  const issuers = Object.fromEntries(
    Object.values(state.identities).flatMap(({ pod, issuer }) => (issuer ? [[pod, issuer.notAfter] as const] : [])),
  )
  const point = { at: now, issuers, failures }
  const last = state.points.at(-1)
  if (last && JSON.stringify({ ...last, at: now }) === JSON.stringify(point)) return state
  return { ...state, failures, points: [...state.points, point].slice(-MOST_POINTS) }
}
