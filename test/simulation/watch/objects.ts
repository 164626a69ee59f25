import { isDeepStrictEqual } from 'node:util'
import { routeWeights, type Weights } from '../../../src/mesh/istio/route.ts'
import type { KubeObject } from '../../../src/model/kube.ts'
import type { Rollout } from '../../../src/model/rollout.ts'
import type { Write } from '../../../src/sandbox/emulators/kubernetes/store.ts'
import type { Acting } from '../network.ts'
import type { CertificateWatch } from './certificates.ts'
import type { DocumentWatch } from './documents.ts'
import { type Broke, isSplit, sameSplit } from './kinds.ts'
import { liveSides, versionOf } from './live-sides.ts'
import type { SeenEndpoints } from './seen-endpoints.ts'

const OURS = ['VirtualService', 'DestinationRule']
const REVISION = 'meshwright.io/revision'
const SERVICE = 'meshwright.io/service'
const HOLD = 'meshwright.io/hold'
const MANAGED_BY = 'app.kubernetes.io/managed-by'

export interface ObjectWatch {
  written(cluster: string, write: Write): void
  /** How many writes the app has made. */
  writes(): number
  /** What a rollout that is back has left in the route, as far as no other hand has touched it since we did. */
  leftOf(cluster: string, service: string, rollout: Rollout): string | undefined
}

export interface ObjectWatchOptions {
  readonly broke: Broke
  readonly documents: DocumentWatch
  readonly seen: SeenEndpoints
  readonly certificates: CertificateWatch
  readonly acting: () => Acting | undefined
  /** What forbids a candidate to get more on a cluster by a render revision; undefined: nothing has all the while of the call that acts. */
  readonly frozen: (service: string, cluster: string) => string | undefined
  /** An object as it is on a cluster now. */
  readonly live: (cluster: string, kind: string, namespace: string, name: string) => KubeObject | undefined
}

/** Checks every write of the app on a cluster against what was there, what was asked for, and what it had seen. */
export function watchObjects(options: ObjectWatchOptions): ObjectWatch {
  let writes = 0
  const touched = new Set<string>()
  return {
    writes: () => writes,
    leftOf(cluster, service, rollout) {
      const [namespace = '', name = ''] = service.split('/')
      const route = options.live(cluster, 'VirtualService', namespace, name)
      return route && !touched.has(`${cluster} ${service}`) ? leftIn(route, rollout) : undefined
    },
    written(cluster, write) {
      const { verb, object, previous } = write
      const acting = options.acting()
      if (object.kind === 'VirtualService') {
        const place = `${cluster} ${object.metadata.namespace}/${object.metadata.name}`
        if (acting) touched.delete(place)
        else touched.add(place)
      }
      if (object.kind === 'Secret') options.certificates.secretWritten(cluster, write, acting)
      if (!acting) return
      writes += 1
      if (object.kind === 'Secret') return
      const after = object as unknown as KubeObject
      const before = previous as unknown as KubeObject | undefined
      const { kind, metadata } = after
      const broke = (what: string) =>
        options.broke(
          `${acting.life.name} ${verb} ${kind} ${metadata.namespace}/${metadata.name} on ${cluster}: ${what}`,
        )
      if (kind === 'Deployment') return checkWorkload(options, cluster, { verb, before, after }, broke)
      if (!OURS.includes(kind)) return broke('the app writes no such kind')
      // A first creation that was so long on its way that the service is gone by now cannot be held back: it is told as an orphan.
      const isLate = verb === 'create' && !isWanted(options, cluster, after)
      if (!isLate) checkDangling(options, cluster, metadata.namespace ?? '', metadata.name, broke)
      checkOwner(options, verb === 'delete' ? before : after, before, broke)
      if (verb === 'delete') return checkRemoval(options, cluster, before ?? after, broke)
      checkFence(before, after, broke)
      if (kind === 'VirtualService') checkRoute(options, { cluster, acting, before, after }, broke)
    },
  }
}

function isOurs(object: KubeObject): boolean {
  return object.metadata.labels?.[MANAGED_BY] === 'meshwright' && object.metadata.annotations?.[SERVICE] !== undefined
}

function checkOwner(
  { documents }: ObjectWatchOptions,
  touched: KubeObject | undefined,
  before: KubeObject | undefined,
  broke: Broke,
): void {
  if (touched && !isOurs(touched)) broke('it does not bear our marks')
  const key = touched?.metadata.annotations?.[SERVICE] ?? ''
  const adopts = documents.service(key)?.spec.adopt === true
  if (before && !isOurs(before) && !adopts) broke('it belonged to others')
  if (before?.metadata.annotations?.[HOLD] === 'true') broke('somebody holds it')
}

/** Every subset that a route of ours names is in our rule: a proxy answers 503 for one that is not. */
function checkDangling(
  { live }: ObjectWatchOptions,
  cluster: string,
  namespace: string,
  name: string,
  broke: Broke,
): void {
  const route = live(cluster, 'VirtualService', namespace, name)
  const named = Object.keys((route && isOurs(route) && routeWeights(route)) || {})
  const rule = live(cluster, 'DestinationRule', namespace, name)
  const subsets = (rule?.spec?.subsets ?? []) as readonly { readonly name: string }[]
  const missing = named.filter((subset) => !subsets.some((one) => one.name === subset))
  if (missing.length > 0) broke(`the route names ${missing.join(', ')}, which no rule has`)
}

interface WorkloadWrite {
  readonly verb: Write['verb']
  readonly before: KubeObject | undefined
  readonly after: KubeObject
}

/**
 * Of Deployments the app makes copies, sees to their images and numbers, lets them go, and scales to 0 what gets nothing.
 * What is not ours is only scaled to 0.
 */
function checkWorkload(
  { live }: ObjectWatchOptions,
  cluster: string,
  { verb, before, after }: WorkloadWrite,
  broke: Broke,
): void {
  if (verb === 'delete') broke('the app deletes no Deployment')
  const [was, is] = [specOf(before), specOf(after)]
  const isScaledDown = before !== undefined && was.replicas !== 0 && is.replicas === 0
  const isOwn = isOurs(before ?? after)
  if (!isOwn && !(isScaledDown && isDeepStrictEqual({ ...was, replicas: 0 }, is))) broke('it belongs to others')
  if (!isScaledDown) return
  const { namespace = '', name } = after.metadata
  const version = is.template?.metadata?.labels?.version ?? ''
  const route = live(cluster, 'VirtualService', namespace, name.slice(0, -version.length - 1))
  const share = (route && routeWeights(route)?.[version]) ?? 0
  if (share > 0) broke(`${version} is scaled to 0 and gets ${share} %`)
  const side = route && liveSides(route).find((one) => versionOf(one) === version)
  if (side) broke(`${version} is scaled to 0 and gets "${side}"`)
}

function specOf(object: KubeObject | undefined) {
  return (object?.spec ?? {}) as {
    readonly replicas?: number
    readonly template?: { readonly metadata?: { readonly labels?: Readonly<Record<string, string>> } }
  }
}

function isWanted({ documents }: ObjectWatchOptions, cluster: string, { metadata }: KubeObject): boolean {
  const service = documents.service(metadata.annotations?.[SERVICE] ?? '')
  return service !== undefined && Object.hasOwn(service.targets, cluster)
}

/** What the newest document wants, and has marked with its revision, is nobody's to remove. */
function checkRemoval({ documents }: ObjectWatchOptions, cluster: string, removed: KubeObject, broke: Broke): void {
  const service = documents.service(removed.metadata.annotations?.[SERVICE] ?? '')
  if (!service || service.deletingAt !== undefined || !Object.hasOwn(service.targets, cluster)) return
  if (revisionOf(removed) >= service.renderRevision) broke(`revision ${revisionOf(removed)} is wanted`)
}

function revisionOf(object: KubeObject): number {
  return Number(object.metadata.annotations?.[REVISION] ?? Number.NaN)
}

function checkFence(before: KubeObject | undefined, after: KubeObject, broke: Broke): void {
  const revision = revisionOf(after)
  if (!Number.isInteger(revision)) broke('it bears no revision')
  if (before && revisionOf(before) > revision) broke(`revision ${revisionOf(before)} → ${revision}`)
}

interface RouteWrite {
  readonly cluster: string
  readonly acting: Acting
  readonly before: KubeObject | undefined
  readonly after: KubeObject
}

function checkRoute(options: ObjectWatchOptions, { cluster, acting, before, after }: RouteWrite, broke: Broke): void {
  const weights = routeWeights(after)
  if (!weights || !isSplit(weights)) {
    broke(`weights ${JSON.stringify(weights)}`)
    return
  }
  const key = after.metadata.annotations?.[SERVICE] ?? ''
  const asked = options.documents.asked(key, revisionOf(after))
  const wanted = asked?.weights[cluster]
  if (!asked || !wanted) {
    broke(`revision ${revisionOf(after)} of ${key} does not ask for it`)
    return
  }
  const live = before && routeWeights(before)
  if (!sameSplit(weights, wanted) && !(live && sameSplit(weights, live))) {
    broke(`weights ${JSON.stringify(weights)} are neither asked (${JSON.stringify(wanted)}) nor those before`)
  }
  if (live && !sameSplit(live, weights) && !isDeepStrictEqual(structure(before), structure(after))) {
    broke(`weights and structure in one write: ${JSON.stringify(before.spec)} → ${JSON.stringify(after.spec)}`)
  }
  const gained = checkSides({ before, after, asked: asked.sides[cluster] ?? [] }, broke)
  const more = rising(live ?? {}, weights)
  for (const version of new Set([...more, ...gained])) {
    const labels = asked.spec.versions[version]?.labels ?? {}
    const ready = options.seen.ready(acting, cluster, key, labels)
    if (ready === 0) broke(`${version} gets more and was last seen with no ready endpoint`)
  }
  const freeze = mayNotRise(options, key, cluster, more)
  if (freeze !== undefined) broke(`${more.join(', ')} gets more though ${freeze}`)
}

/** Why no candidate may get more on a cluster; stable may at any time. */
function mayNotRise(
  { documents, frozen }: ObjectWatchOptions,
  service: string,
  cluster: string,
  more: readonly string[],
): string | undefined {
  const live = documents.service(service)?.rollouts ?? []
  const rollout = live.find(({ targets, phase, breakGlass }) => {
    const isMore = targets.some((target) => target.cluster === cluster && more.includes(target.candidate))
    return isMore && phase !== 'rolling-back' && !breakGlass
  })
  return rollout && frozen(service, cluster)
}

/**
 * Routes beside the split come only when they are asked for, and go before their version loses its share: who came by them
 * must not be the last to be told. Gives back the versions that gained one.
 */
function checkSides(
  { before, after, asked }: { before: KubeObject | undefined; after: KubeObject; asked: readonly string[] },
  broke: Broke,
): readonly string[] {
  const [was, is] = [before ? liveSides(before) : [], liveSides(after)]
  const gained = is.filter((side) => !was.includes(side))
  for (const side of gained) if (!asked.includes(side)) broke(`it gains "${side}", asked is ${JSON.stringify(asked)}`)
  const [split, next] = [(before && routeWeights(before)) ?? {}, routeWeights(after) ?? {}]
  for (const side of is.filter((one) => !asked.includes(one))) {
    const version = versionOf(side)
    if ((next[version] ?? 0) < (split[version] ?? 0)) broke(`${version} loses its share before its "${side}"`)
  }
  return gained.map(versionOf)
}

function rising(before: Weights, after: Weights): readonly string[] {
  return Object.keys(after).filter((version) => (after[version] ?? 0) > (before[version] ?? 0))
}

/** The spec without the numbers of its weights. */
function structure(object: KubeObject): unknown {
  return JSON.parse(JSON.stringify(object.spec, (name, value) => (name === 'weight' ? undefined : value)))
}

function leftIn(route: KubeObject, { candidate }: Rollout): string | undefined {
  const weight = routeWeights(route)?.[candidate] ?? 0
  if (weight > 0) return `${candidate} still gets ${weight} %`
  const side = liveSides(route).find((one) => versionOf(one) === candidate)
  return side && `"${side}" is still there`
}
