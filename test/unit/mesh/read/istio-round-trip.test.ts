import fc from 'fast-check'
import { expect, it } from 'vitest'
import { istio } from '../../../../src/mesh/istio/istio.ts'
import type { RenderInput } from '../../../../src/mesh/provider.ts'
import { readService } from '../../../../src/mesh/read/read-service.ts'
import type { KubeObject } from '../../../../src/model/kube.ts'
import type { ServiceSpec } from '../../../../src/model/service.ts'
import { renderablePolicy } from '../istio/any-policy.ts'
import { asForeign, kubeServiceOf, seenOf, subjectOf } from './foreign.ts'

/** What a reader is not asked for: rollouts, rate limits, which are EnvoyFilters, and hosts outside, which are no one service's. */
function plain(input: RenderInput): RenderInput {
  const { hosts: _, ...egress } = input.policy.egress ?? {}
  const { candidate: _c, ...rest } = input
  const { rateLimit: _r, ...traffic } = input.policy.traffic ?? {}
  const spec = { ...input.spec, egress, traffic } as ServiceSpec
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
    { numRuns: 100 },
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
    { numRuns: 60 },
  )
})

/** How many objects are told to be for no one service. */
function leftOf(input: RenderInput, objects: readonly KubeObject[]): number {
  const service = kubeServiceOf(input)
  const seen = seenOf(objects, [service])
  const chosen = istio.reader.choose(subjectOf(service), seen)
  return istio.reader.left(seen, new Set([...(chosen?.objects ?? []), ...(chosen?.idle ?? [])])).length
}

/** Every place in the specs of some objects where a value is. */
function placesIn(value: unknown, path: readonly (string | number)[] = []): readonly (readonly (string | number)[])[] {
  if (typeof value !== 'object' || value === null) return [path]
  const inner = Object.entries(value).flatMap(([key, one]) =>
    placesIn(one, [...path, Array.isArray(value) ? Number(key) : key]),
  )
  return [path, ...inner]
}

function changed(value: unknown, path: readonly (string | number)[], change: (value: unknown) => unknown): unknown {
  const [key, ...rest] = path
  if (key === undefined) return change(value)
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<string | number, unknown>
  copy[key] = changed(copy[key], rest, change)
  return copy
}

/** Objects with one place of one spec changed, and where that is. */
const mutated = (
  change: (value: unknown) => unknown,
  isMeant: (value: unknown, path: readonly (string | number)[]) => boolean,
) =>
  fc
    .tuple(renderable, fc.nat(), fc.nat())
    .map(([input, at, within]) => {
      const objects = asForeign(render(input) ?? [])
      const index = at % objects.length
      const object = objects[index] as KubeObject
      const valueAt = (path: readonly (string | number)[]) =>
        path.reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], object.spec)
      // What a destination is that gets no requests has no effect.
      const getsNothing = (path: readonly (string | number)[]) =>
        path[2] === 'route' && valueAt([...path.slice(0, 4), 'weight']) === 0
      const places = placesIn(object.spec).filter((path) => isMeant(valueAt(path), path) && !getsNothing(path))
      const path = places[within % Math.max(1, places.length)]
      if (!path) return undefined
      const spec = changed(object.spec, path, change) as Record<string, unknown>
      return { input, objects: objects.with(index, { ...object, spec }), where: `${object.kind} ${path.join('/')}` }
    })
    .filter((found) => found !== undefined)

it('a field that nobody knows is told, wherever it stands', () => {
  const isMap = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value)
  fc.assert(
    fc.property(
      mutated((value) => ({ ...(value as object), mystery: 1 }), isMap),
      ({ input, objects }) => {
        const reading = read(input, objects)
        // It may be for other Pods now, or a label that is carried.
        const isCarried = reading?.spec && JSON.stringify(again(input, reading.spec)).includes('mystery')
        const isSeen = !reading?.spec || isCarried || reading.findings.length + leftOf(input, objects) > 0
        expect(isSeen).toBe(true)
      },
    ),
    { numRuns: 100 },
  )
})

it('a value that is another one is carried or told, but for names of routes', () => {
  const isValue = (value: unknown, path: readonly (string | number)[]) => {
    const isName = path.at(-1) === 'name' && path[0] === 'http' && path.length === 3
    // Of a destination that gets all, or nothing, the number is nobody's affair.
    if (path.at(-1) === 'weight' && (value === 100 || value === 0)) return false
    return (typeof value === 'number' || typeof value === 'string') && !isName
  }
  const other = (value: unknown) => (typeof value === 'number' ? value + 1 : `${value}x`)
  fc.assert(
    fc.property(mutated(other, isValue), ({ input, objects }) => {
      const [before, after] = [read(input, asForeign(render(input) ?? [])), read(input, objects)]
      if (!before?.spec) throw new Error('nothing was read')
      const isSame =
        after?.spec && JSON.stringify(again(input, after.spec)) === JSON.stringify(again(input, before.spec))
      expect(isSame && after.findings.length === 0).toBeFalsy()
    }),
    { numRuns: 100 },
  )
})

it('a part that is emptied, or gone, is carried or told', () => {
  // Where there is one port that speaks HTTP, naming it says nothing.
  const isOfPort = (value: unknown) => /^\[?(\{"(port|number)":\d+\},?)+\]?$/.test(JSON.stringify(value))
  const isPart = (value: unknown, path: readonly (string | number)[]) =>
    path.length > 0 && typeof value === 'object' && value !== null && Object.keys(value).length > 0 && !isOfPort(value)
  fc.assert(
    fc.property(
      fc.oneof(
        mutated(emptied, isPart),
        mutated(() => undefined, isPart),
      ),
      ({ input, objects, where }) => {
        const [before, after] = [read(input, asForeign(render(input) ?? [])), read(input, objects)]
        if (!before?.spec) throw new Error('nothing was read')
        const isSame =
          after?.spec && JSON.stringify(again(input, after.spec)) === JSON.stringify(again(input, before.spec))
        const isSeen = (after?.findings.length ?? 0) + leftOf(input, objects) > 0
        expect(isSame && !isSeen ? where : undefined).toBeUndefined()
      },
    ),
    { numRuns: 100 },
  )
})

it('a policy that Istio is told to try only is never read as enforced', () => {
  fc.assert(
    fc.property(renderable, (input) => {
      const annotations = { 'istio.io/dry-run': 'true' }
      const objects = asForeign(render(input) ?? []).map((object) =>
        object.kind === 'AuthorizationPolicy' ? { ...object, metadata: { ...object.metadata, annotations } } : object,
      )
      fc.pre(objects.some(({ kind }) => kind === 'AuthorizationPolicy'))
      const reading = read(input, objects)
      expect(reading?.findings.map(({ code }) => code)).toContain('StaysWithOwner')
      expect(reading?.spec?.security?.authorization).toBeUndefined()
    }),
    { numRuns: 40 },
  )
})

function emptied(value: unknown): unknown {
  return Array.isArray(value) ? [] : {}
}
