import { describe, expect, it } from 'vitest'
import { versionLabels } from '../../../src/rollouts/version-label.ts'

const named = (label: string) => ({ v1: { labels: { [label]: 'one' } }, v2: { labels: { [label]: 'two' } } })

describe('how metrics tell versions apart', () => {
  it.each(['version', 'app.kubernetes.io/version'])('by the Pods’ label %s', (label) => {
    expect(versionLabels(named(label), ['v1', 'v2'])).toEqual({
      label: 'destination_version',
      values: { v1: 'one', v2: 'two' },
    })
  })

  it('by the label version before the other', () => {
    const both = {
      v1: { labels: { version: 'a', 'app.kubernetes.io/version': 'x' } },
      v2: { labels: { version: 'b' } },
    }
    expect(versionLabels(both, ['v1', 'v2'])?.values).toEqual({ v1: 'a', v2: 'b' })
  })

  it('by the workload where labels do not', () => {
    const versions = {
      v1: { labels: { version: 'same' }, workload: 'web-1' },
      v2: { labels: { version: 'same', track: 'new' }, workload: 'web-2' },
    }
    expect(versionLabels(versions, ['v1', 'v2'])).toEqual({
      label: 'destination_workload',
      values: { v1: 'web-1', v2: 'web-2' },
    })
  })

  it('by nothing', () => {
    expect(versionLabels(named('track'), ['v1', 'v2'])).toBeUndefined()
    expect(versionLabels(named('version'), ['v1', 'v9'])).toBeUndefined()
    expect(
      versionLabels({ v1: { labels: { version: '' } }, v2: { labels: { version: 'b' } } }, ['v1', 'v2']),
    ).toBeUndefined()
  })
})
