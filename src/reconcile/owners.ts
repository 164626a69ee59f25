import { MANAGED_BY, MANAGER, RESTARTER } from '../mesh/marks.ts'
import { describeRef, type KubeObject, refOf } from '../model/kube.ts'

/** Tools that write objects again and again: what they own cannot be taken over while they do. */
export type Tool = 'Argo CD' | 'Argo Rollouts' | 'Flux' | 'Flagger' | 'Helm'

/** Field managers other than ours that own a part of the object's spec, or of a Secret's data. */
export function otherHands(object: KubeObject): readonly string[] {
  const hands = (object.metadata.managedFields ?? [])
    .filter(({ manager, subresource }) => manager !== MANAGER && manager !== RESTARTER && !subresource)
    .filter(
      ({ fieldsV1 }) => fieldsV1 === undefined || ['f:spec', 'f:data'].some((part) => Object.hasOwn(fieldsV1, part)),
    )
    .map(({ manager }) => manager ?? 'unknown')
  return [...new Set(hands)].sort()
}

/** The tool that owns an object, by its labels, annotations, owner and field managers; undefined for a person's. */
export function toolOf(object: KubeObject): Tool | undefined {
  const { labels = {}, annotations = {}, ownerReferences = [], managedFields = [] } = object.metadata
  const managers = managedFields.map(({ manager }) => manager ?? '')
  const marked = (key: string) => Object.hasOwn(labels, key) || Object.hasOwn(annotations, key)
  const manager = (pattern: RegExp) => managers.some((name) => pattern.test(name))
  const by = labels[MANAGED_BY]?.toLowerCase()
  if (marked('argocd.argoproj.io/instance') || marked('argocd.argoproj.io/tracking-id') || manager(/^argocd/))
    return 'Argo CD'
  if (marked('kustomize.toolkit.fluxcd.io/name') || marked('helm.toolkit.fluxcd.io/name')) return 'Flux'
  if (manager(/^(kustomize|helm)-controller$/)) return 'Flux'
  if (by === 'flagger' || manager(/^flagger/) || ownerReferences.some(({ kind }) => kind === 'Canary')) return 'Flagger'
  if (manager(/^(argo-rollouts|rollouts-controller)/) || ownerReferences.some(({ kind }) => kind === 'Rollout'))
    return 'Argo Rollouts'
  if (by === 'helm' || marked('meta.helm.sh/release-name') || manager(/^helm$/i)) return 'Helm'
  return undefined
}

/** `VirtualService shop/web (Flagger, field manager flagger)`: an object of others, as messages name it. */
export function describeForeign(object: KubeObject): string {
  const hands = otherHands(object)
  const manager = hands.length === 0 ? 'no known field manager' : `field manager ${hands.join(', ')}`
  const tool = toolOf(object)
  return `${describeRef(refOf(object))} (${tool === undefined ? '' : `${tool}, `}${manager})`
}
