import { describe, expect, test } from 'vitest'
import { newTraceContext } from '../../../../src/sandbox/host/trace-context.ts'

describe('a trace context', () => {
  test("goes on in the caller's trace with a span of its own", () => {
    const parent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    const { traceParent, traceState } = newTraceContext(parent, 'vendor=1')
    expect(traceParent).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01$/)
    expect(traceParent).not.toBe(parent)
    expect(traceState).toBe('vendor=1')
  })

  test.each([
    undefined,
    'junk',
    '00-00000000000000000000000000000000-b7ad6b7169203331-01',
    '00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01',
    'ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  ])('begins a trace that is not sampled when the caller sent %s', (parent) => {
    const { traceParent, traceState } = newTraceContext(parent, 'vendor=1')
    expect(traceParent).toMatch(/^00-(?!0{32})[0-9a-f]{32}-[0-9a-f]{16}-00$/)
    expect(traceParent).not.toContain('0af7651916cd43dd')
    expect(traceState).toBe('')
  })
})
