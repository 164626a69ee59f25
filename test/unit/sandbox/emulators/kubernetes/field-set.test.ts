import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { FieldPath, FieldSet } from '../../../../../src/sandbox/emulators/kubernetes/field-set.ts'
import {
  difference,
  emptySet,
  fromFieldsV1,
  insert,
  intersection,
  isEmptySet,
  paths,
  pathText,
  recursiveDifference,
  toFieldsV1,
  union,
} from '../../../../../src/sandbox/emulators/kubernetes/field-set.ts'

const element = fc.constantFrom('f:a', 'f:b', 'k:{"name":"x"}', 'k:{"port":80,"protocol":"TCP"}', 'v:"z"')
const path = fc.array(element, { minLength: 1, maxLength: 4 })
const anySet = fc.array(path, { maxLength: 8 }).map((all) => setOf(all))

function setOf(all: readonly FieldPath[]): FieldSet {
  const set = emptySet()
  for (const one of all) insert(set, one)
  return set
}

const texts = (set: FieldSet): string[] => [...paths(set)].map((one) => one.join(' ')).sort()

describe('a set of fields', () => {
  it('is the same after it was written as fieldsV1', () => {
    fc.assert(
      fc.property(anySet, (set) => {
        expect(texts(fromFieldsV1(toFieldsV1(set)))).toEqual(texts(set))
      }),
    )
  })

  it('is united, cut and diminished as sets of paths are', () => {
    fc.assert(
      fc.property(anySet, anySet, (left, right) => {
        const [all, others] = [texts(left), texts(right)]
        expect(texts(union(left, right))).toEqual([...new Set([...all, ...others])].sort())
        expect(texts(intersection(left, right))).toEqual(all.filter((one) => others.includes(one)))
        expect(texts(difference(left, right))).toEqual(all.filter((one) => !others.includes(one)))
        expect(isEmptySet(difference(left, left))).toBe(true)
      }),
    )
  })

  it('loses what lies below a path with it, when asked to', () => {
    fc.assert(
      fc.property(anySet, anySet, (left, right) => {
        const gone = [...paths(right)]
        const kept = [...paths(left)].filter((one) => !gone.some((top) => top.every((step, at) => one[at] === step)))
        expect(texts(recursiveDifference(left, right))).toEqual(kept.map((one) => one.join(' ')).sort())
      }),
    )
  })

  it('orders keys by their values, numbers as numbers', () => {
    const ports = [8080, 80, 443].map((port) => [`k:{"port":${port},"protocol":"TCP"}`])
    expect([...paths(setOf(ports))].map(pathText)).toEqual([
      '[port=80,protocol="TCP"]',
      '[port=443,protocol="TCP"]',
      '[port=8080,protocol="TCP"]',
    ])
  })

  it('is written as messages name fields', () => {
    expect(pathText(['f:spec', 'f:ports', 'k:{"port":80,"protocol":"TCP"}', 'f:name'])).toBe(
      '.spec.ports[port=80,protocol="TCP"].name',
    )
    expect(pathText(['f:metadata', 'f:finalizers', 'v:"a/b"'])).toBe('.metadata.finalizers[="a/b"]')
  })
})
