import { canonicalJson } from '../../model/digest.ts'
import type { KubeObject } from '../../model/kube.ts'
import type { Barrier, RenderStep } from '../provider.ts'
import { isWhole, ready, risingVersions } from '../staging.ts'
import { KUBE_SERVICE } from '../version-services.ts'
import { isOfKind, ofKind, TRAFFIC_SPLIT } from './names.ts'
import { settled } from './render.ts'
import { type Backends, backendsOf, splitWeights, type Weights, withSplit } from './traffic-split.ts'

/**
 * Make before break. Services of versions come before the split that names them. Weights move alone: at once where every
 * version that rises has its Service as it is to be, so that an abort waits for no other change; else on the new Services.
 */
export function stageOsm(live: readonly KubeObject[], desired: readonly RenderStep[]): readonly RenderStep[] {
  const split = desired.find(({ object }) => isOfKind(object, TRAFFIC_SPLIT))
  const liveSplit = ofKind(live, TRAFFIC_SPLIT)
  const [before, after] = [liveSplit && splitWeights(liveSplit), split && splitWeights(split.object)]
  const [now, then] = [liveSplit && backendsOf(liveSplit), split && backendsOf(split.object)]
  if (!split || !before || !after || !now || !then) return desired
  // Not a split of ours: nothing to keep, so it is replaced in one.
  if (!isWhole(before)) return desired
  const services = desired.filter(({ object }) => isOfKind(object, KUBE_SERVICE)).map(({ object }) => object)
  const changed = services.filter((service) => !isThere(service, live)).map(({ metadata }) => metadata.name)
  const rising = risingVersions(before, after)
  const direct = rising.every((version) => {
    const service = then[version] ?? ''
    return (now[version] ?? service) === service && !changed.includes(service)
  })
  const inPlace = services.map(settled)
  const served = direct ? after : before
  const moved = Object.keys(then).filter(
    (version) => (served[version] ?? 0) > 0 && isMoved(version, now, then, changed),
  )
  const others = desired
    .filter((step) => step !== split)
    .map((step) => ({ ...step, barriers: [...step.barriers, ...relabelled(step, live, then, served)] }))
  return [
    ...(direct ? [{ object: withSplit(split.object, { ...then, ...now }, after), barriers: ready(rising) }] : []),
    ...others,
    ...(direct
      ? []
      : [{ object: withSplit(split.object, { ...now, ...then }, before), barriers: [...inPlace, ...ready(moved)] }]),
    ...(direct
      ? []
      : [{ object: withSplit(split.object, { ...now, ...then }, after), barriers: [...inPlace, ...ready(rising)] }]),
    { object: split.object, barriers: [...inPlace, ...ready(moved)] },
  ]
}

/** Will requests of a version go to another Service, or to one that selects others? */
function isMoved(version: string, now: Backends, then: Backends, changed: readonly string[]): boolean {
  return now[version] !== then[version] || changed.includes(then[version] ?? '')
}

/** A Service whose selector changes gives requests to other Pods at once: one of those must be ready. */
function relabelled(
  { object }: RenderStep,
  live: readonly KubeObject[],
  then: Backends,
  served: Weights,
): readonly Barrier[] {
  const isChanged = live.some(({ kind, metadata }) => kind === object.kind && metadata.name === object.metadata.name)
  if (!isOfKind(object, KUBE_SERVICE) || !isChanged || isThere(object, live)) return []
  const versions = Object.keys(then).filter((version) => then[version] === object.metadata.name)
  const serving = versions.filter((version) => (served[version] ?? 0) > 0)
  return serving.length === 0 ? [] : [{ kind: 'endpoints-ready', versions: serving, among: 'all' }]
}

/** Is the Service there and does it select what it is to select? */
function isThere(service: KubeObject, live: readonly KubeObject[]): boolean {
  const own = live.find((object) => isOfKind(object, KUBE_SERVICE) && object.metadata.name === service.metadata.name)
  return own !== undefined && canonicalJson(own.spec?.selector) === canonicalJson(service.spec?.selector)
}
