import type { KindRef, KubeObject } from '../../model/kube.ts'
import { markedMetadata } from '../marks.ts'
import type { RenderInput } from '../provider.ts'
import { partName } from './names.ts'

/** An object of ours for a service. */
export function partObject(
  input: RenderInput,
  kind: KindRef,
  part: string | undefined,
  spec: Readonly<Record<string, unknown>>,
): KubeObject {
  const marked = markedMetadata(input)
  return { ...kind, metadata: { ...marked, name: partName(input, part) }, spec }
}

/** The service's Pods, as Istio's policies choose them. Renders are refused before, where they are not known. */
export function selectorOf({ spec }: Pick<RenderInput, 'spec'>): Readonly<Record<string, unknown>> {
  return { selector: { matchLabels: spec.workload?.labels ?? {} } }
}
