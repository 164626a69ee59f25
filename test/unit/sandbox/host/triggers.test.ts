import { describe, expect, test } from 'vitest'
import type { ChangeFeedSource } from '../../../../src/sandbox/host/change-feed-source.ts'
import type { RegisteredFunction } from '../../../../src/sandbox/host/core-module.ts'
import type { BindingInfo } from '../../../../src/sandbox/host/core-types.ts'
import { readHostSettings } from '../../../../src/sandbox/host/host-settings.ts'
import type { QueueSource } from '../../../../src/sandbox/host/queue-source.ts'
import { feedSettings } from '../../../../src/sandbox/host/trigger-settings.ts'
import { prepareTriggers } from '../../../../src/sandbox/host/triggers.ts'
import { invokerFor } from './fake-invoker.ts'
import { virtualClock } from './virtual-clock.ts'

type Binding = Omit<BindingInfo, 'direction'> & { readonly type: string }

function registered(name: string, trigger: Binding, others: Record<string, BindingInfo> = {}): RegisteredFunction {
  const bindings: Record<string, BindingInfo> = { trigger: { direction: 'in', ...trigger }, ...others }
  return { metadata: { name, bindings }, callback: () => {} }
}

function prepare(functions: readonly RegisteredFunction[], services = true): () => unknown {
  const clock = virtualClock()
  return () =>
    prepareTriggers({
      functions: new Map(functions.map((fn) => [fn.metadata.name, fn])),
      hostSettings: readHostSettings({ version: '2.0' }),
      appSettings: { QUEUE: 'from-settings' },
      queue: services ? ({} as QueueSource) : undefined,
      cosmos: services ? ({} as ChangeFeedSource) : undefined,
      timers: undefined,
      queueLockMs: 1000,
      invoker: invokerFor(clock, () => {}),
      clock,
      random: () => 0.5,
      log: () => {},
      signal: new AbortController().signal,
    })
}

const feed = { type: 'cosmosDBTrigger', databaseName: 'app', containerName: 'state' }
const queue = { type: 'queueTrigger', queueName: '%QUEUE%' }

describe('registrations', () => {
  test('of every kind this host has are taken', () => {
    const functions = [
      registered('a', { type: 'httpTrigger' }, { $return: { type: 'http', direction: 'out' } }),
      registered('b', { type: 'timerTrigger', schedule: '0 0 * * * *' }),
      registered('c', queue),
      registered('d', feed),
      registered('e', { ...feed, leaseContainerPrefix: 'e-' }),
      registered('f', { type: 'warmupTrigger' }),
    ]
    expect(prepare(functions)).not.toThrow()
  })

  test.each([
    ['another trigger', [registered('a', { type: 'blobTrigger' })], 'has no blobTrigger'],
    ['no trigger', [registered('a', { type: 'queue' })], 'has no trigger'],
    ['an output', [registered('a', queue, { out: { type: 'queue', direction: 'out' } })], 'no binding queue ("out")'],
    ['a wrong schedule', [registered('a', { type: 'timerTrigger', schedule: 'soon' })], 'neither NCRONTAB'],
    [
      'a schedule that never comes',
      [registered('a', { type: 'timerTrigger', schedule: '0 0 0 31 2 *' })],
      'never comes',
    ],
    ['a missing queue name', [registered('a', { type: 'queueTrigger' })], '"queueName" is missing'],
    ['a missing app setting', [registered('a', { ...queue, queueName: '%NONE%' })], 'the app setting "NONE"'],
    ['leases of another function', [registered('a', feed), registered('b', feed)], '"a" and "b" share leases'],
    [
      'all versions and deletes',
      [registered('a', { ...feed, changeFeedMode: 'AllVersionsAndDeletes' })],
      'LatestVersion',
    ],
  ])('that ask for %s are refused', (_reason, functions, message) => {
    expect(prepare(functions)).toThrow(message)
  })

  test.each([
    ['a queue', queue, 'needs a queue service'],
    ['a feed', feed, 'needs Cosmos DB'],
  ])('of %s need their service', (_reason, trigger, message) => {
    expect(prepare([registered('a', trigger)], false)).toThrow(message)
  })
})

describe('a change feed trigger', () => {
  const binding = { direction: 'in', ...feed } as BindingInfo

  test('has the defaults of Azure', () => {
    expect(feedSettings(binding, {})).toEqual({
      monitored: { database: 'app', container: 'state' },
      leases: { database: 'app', container: 'leases' },
      leasePrefix: '',
      createLeases: false,
      pollMs: 5000,
      maxItems: -1,
      start: { from: 'now' },
    })
  })

  test('may begin at a time', () => {
    expect(feedSettings({ ...binding, startFromTime: '2026-01-01T00:00:00Z' }, {}).start).toEqual({
      from: 'time',
      timeMs: Date.UTC(2026, 0, 1),
    })
    expect(() => feedSettings({ ...binding, startFromTime: 'yesterday' }, {})).toThrow('is no date')
    const both = { ...binding, startFromTime: '2026-01-01T00:00:00Z', startFromBeginning: true }
    expect(() => feedSettings(both, {})).toThrow('Only one of')
  })
})
