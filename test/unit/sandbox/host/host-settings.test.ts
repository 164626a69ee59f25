import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { readHostSettings } from '../../../../src/sandbox/host/host-settings.ts'
import { parseTimeSpan } from '../../../../src/sandbox/host/time-span.ts'

describe('host.json', () => {
  test('has the defaults of Azure', () => {
    expect(readHostSettings({ version: '2.0' })).toEqual({
      routePrefix: 'api',
      functionTimeoutMs: undefined,
      queues: {
        batchSize: 16,
        newBatchThreshold: 8,
        maxDequeueCount: 5,
        maxPollingIntervalMs: 60_000,
        visibilityTimeoutMs: 0,
        messageEncoding: 'base64',
      },
      logLevels: {},
    })
  })

  test("this project's file reads as meant", () => {
    const content = JSON.parse(readFileSync('host.json', 'utf8'))
    expect(readHostSettings(content)).toMatchObject({
      routePrefix: '',
      functionTimeoutMs: 600_000,
      queues: { maxPollingIntervalMs: 1000, visibilityTimeoutMs: 5000, messageEncoding: 'none' },
    })
    expect(content.telemetryMode).toBe('OpenTelemetry')
  })

  test.each([
    ['a version of its own', { version: '1.0' }, 'version'],
    ['a batch too large', { version: '2.0', extensions: { queues: { batchSize: 33 } } }, 'extensions.queues.batchSize'],
    ['a time that is none', { version: '2.0', functionTimeout: '10 minutes' }, 'functionTimeout'],
    ['an unknown level', { version: '2.0', logging: { logLevel: { default: 'loud' } } }, 'logging.logLevel.default'],
  ])('refuses %s and names the place', (_reason, content, place) => {
    expect(() => readHostSettings(content)).toThrow(place)
  })

  test('a time limit of -1 is none', () => {
    expect(readHostSettings({ version: '2.0', functionTimeout: '-1' }).functionTimeoutMs).toBeUndefined()
  })
})

test.each([
  ['00:00:05', 5000],
  ['01:30', 5_400_000],
  ['1.02:03:04', 93_784_000],
  ['00:00:00.25', 250],
  ['7', 604_800_000],
  ['24:00:00', undefined],
  ['-00:00:01', undefined],
  ['5s', undefined],
])('the time span %s is %s ms', (text, ms) => {
  expect(parseTimeSpan(text)).toBe(ms)
})
