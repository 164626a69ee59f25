import fc from 'fast-check'
import { expect, it } from 'vitest'
import { istio } from '../../../../src/mesh/istio/istio.ts'
import type { RenderInput } from '../../../../src/mesh/provider.ts'
import { readService } from '../../../../src/mesh/read/read-service.ts'
import type { KubeObject } from '../../../../src/model/kube.ts'
import type { ServiceSpec } from '../../../../src/model/service.ts'
import { renderablePolicy } from '../istio/any-policy.ts'
import { asForeign, kubeServiceOf, seenOf, subjectOf } from './foreign.ts'

/** What a reader is not asked for: rollouts, and hosts outside, which are no one service's. */
function plain(input: RenderInput): RenderInput {
  const { hosts: _, ...egress } = input.policy.egress ?? {}
  const { candidate: _c, ...rest } = input
  const spec = { ...input.spec, egress } as ServiceSpec
  return { ...rest, spec, policy: spec }
}

function render(input: RenderInput): readonly KubeObject[] | undefined {
  const result = istio.render(input)
  return result.ok ? result.steps.map(({ object }) => object) : undefined
}

const renderable = renderablePolicy.map(plain)

function read(input: RenderInput, objects: readonly KubeObject[]) {
  const service = kubeServiceOf(input)
  return readService(istio, subjectOf(service), seenOf(objects, [service]), { team: 'shop', clusters: ['east'] })
}

/** Rendered as the service that was read. */
function again(input: RenderInput, spec: ServiceSpec): readonly KubeObject[] {
  const weights = spec.traffic?.weights ?? { [spec.initialVersion]: 100 }
  return render({ ...input, spec, policy: spec, weights }) ?? []
}

it('what Meshwright wrote is read as a service with the same effect: nothing is told', () => {
  fc.assert(
    fc.property(renderable, (input) => {
      const reading = read(input, asForeign(render(input) ?? []))
      expect(reading?.findings).toEqual([])
      expect(reading?.spec).toBeDefined()
    }),
    { numRuns: 300 },
  )
})

it('what was read, written and read again is the same service, and the same objects', () => {
  fc.assert(
    fc.property(renderable, (input) => {
      const first = read(input, asForeign(render(input) ?? []))?.spec
      if (!first) throw new Error('nothing was read')
      const objects = again(input, first)
      const second = read(input, asForeign(objects))?.spec
      if (!second) throw new Error('nothing was read')
      expect(again(input, second)).toEqual(objects)
    }),
    { numRuns: 150 },
  )
})
