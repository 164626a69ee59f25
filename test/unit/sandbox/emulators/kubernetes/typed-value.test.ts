import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isEmptySet, paths } from '../../../../../src/sandbox/emulators/kubernetes/field-set.ts'
import type { Json } from '../../../../../src/sandbox/emulators/kubernetes/json.ts'
import type { Shape } from '../../../../../src/sandbox/emulators/kubernetes/shape.ts'
import { shapeOfSchema } from '../../../../../src/sandbox/emulators/kubernetes/shape.ts'
import {
  compare,
  fieldSetOf,
  merge,
  removeFields,
} from '../../../../../src/sandbox/emulators/kubernetes/typed-value.ts'

const shape: Shape = {
  fields: {
    labels: { map: 'keys' },
    selector: { map: 'atomic' },
    tags: { list: 'set' },
    ports: { list: ['port', 'protocol'], items: { fields: { protocol: { default: 'TCP' } } } },
  },
}

const small = fc.constantFrom('1', '2')
const port = fc.record({ port: fc.constantFrom(80, 81, 82), name: small }, { requiredKeys: ['port'] })
const value = fc.record(
  {
    labels: fc.dictionary(fc.constantFrom('a', 'b'), small, { minKeys: 1 }),
    selector: fc.dictionary(fc.constantFrom('a', 'b'), small, { minKeys: 1 }),
    tags: fc.uniqueArray(fc.constantFrom('x', 'y', 'z'), { minLength: 1 }),
    ports: fc.uniqueArray(port, { minLength: 1, selector: (item) => item.port }),
    hosts: fc.array(small, { minLength: 1 }),
    replicas: fc.integer({ min: 1, max: 3 }),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<{ [key: string]: Json }>

const texts = (set: Parameters<typeof paths>[0]) => [...paths(set)].map((one) => one.join(' '))

describe('merging by shape', () => {
  it('changes nothing when the same is applied again', () => {
    fc.assert(
      fc.property(value, value, (live, applied) => {
        const once = merge(shape, live, applied)
        expect(merge(shape, once, applied)).toEqual(once)
        const { added, modified, removed } = compare(shape, once, merge(shape, once, applied))
        expect([added, modified, removed].every(isEmptySet)).toBe(true)
      }),
    )
  })

  it('holds every field of what was applied and of what was live', () => {
    fc.assert(
      fc.property(value, value, (live, applied) => {
        const merged = texts(fieldSetOf(shape, merge(shape, live, applied)))
        for (const field of [...texts(fieldSetOf(shape, live)), ...texts(fieldSetOf(shape, applied))]) {
          expect(merged).toContain(field)
        }
      }),
    )
  })

  it('removes just the fields it is told to', () => {
    fc.assert(
      fc.property(value, value, (live, applied) => {
        const [all, gone] = [fieldSetOf(shape, live), fieldSetOf(shape, applied)]
        const left = texts(fieldSetOf(shape, removeFields(shape, live, gone) ?? undefined))
        for (const field of texts(gone)) expect(left).not.toContain(field)
        const survivors = texts(all).filter((field) => !texts(gone).some((top) => field.startsWith(top)))
        for (const field of survivors) expect(left).toContain(field)
      }),
    )
  })

  it('keeps a live item before the shared item that follows it', () => {
    const names = (...all: number[]) => ({ ports: all.map((port) => ({ port })) })
    expect(merge(shape, names(1, 2, 3), names(3, 2, 4))).toEqual(names(1, 3, 2, 4))
    expect(merge(shape, names(1, 2), names(3, 2))).toEqual(names(1, 3, 2))
  })
})

describe('the shape of a schema', () => {
  it('follows list types, map types, free maps and defaults', () => {
    const read = shapeOfSchema({
      type: 'object',
      properties: {
        ports: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
          items: { type: 'object', properties: { weight: { type: 'integer', default: 1 } } },
        },
        hosts: { type: 'array', items: { type: 'string' } },
        labels: { type: 'object', additionalProperties: { type: 'string' } },
        selector: { type: 'object', 'x-kubernetes-map-type': 'atomic' },
        anything: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
      },
    })
    const object = {
      ports: [{ name: 'a', weight: 2 }],
      hosts: ['x'],
      labels: { l: '1' },
      selector: { s: '1' },
      anything: { deep: { er: 1 } },
    }
    expect(texts(fieldSetOf(read, object)).sort()).toEqual([
      'f:anything f:deep',
      'f:anything f:deep f:er',
      'f:hosts',
      'f:labels f:l',
      'f:ports k:{"name":"a"}',
      'f:ports k:{"name":"a"} f:name',
      'f:ports k:{"name":"a"} f:weight',
      'f:selector',
    ])
    expect(read.fields?.ports?.items?.fields?.weight?.default).toBe(1)
  })
})
