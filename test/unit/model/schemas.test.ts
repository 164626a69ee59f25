import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { z } from 'zod'
import { clusterSpec } from '../../../src/model/cluster.ts'
import { freezeSpec } from '../../../src/model/freeze.ts'
import { dnsLabel, durationBetween, durationMs, formatDuration, hostName, timestamp } from '../../../src/model/names.ts'
import { rolloutRequest } from '../../../src/model/rollout.ts'
import { serviceSpec } from '../../../src/model/service.ts'
import { DEFAULT_STRATEGY, strategySpec } from '../../../src/model/strategy.ts'
import { teamSpec } from '../../../src/model/team.ts'

/** Where a schema finds fault, as JSON pointers; an unknown field is named. Empty: the value is taken. */
function faults(schema: z.ZodType, value: unknown): readonly string[] {
  const parsed = schema.safeParse(value)
  if (parsed.success) return []
  return parsed.error.issues.flatMap((issue) => {
    const path = issue.path.map((part) => `/${String(part)}`).join('')
    return issue.code === 'unrecognized_keys' ? issue.keys.map((key) => `${path}/${key}`) : [path]
  })
}

describe('durations', () => {
  it.each([
    ['250ms', 250],
    ['90s', 90_000],
    ['5m', 300_000],
    ['24h', 86_400_000],
    ['7d', 604_800_000],
  ])('%s', (text, ms) => {
    expect(durationMs(text)).toBe(ms)
  })

  it.each(['', '5', 'm', '5 m', '1.5m', '-5m', '5M', '5min', '1e3s', '0x5s', '٥s', '1234567890s'])('not %s', (text) => {
    expect(() => durationMs(text)).toThrow(RangeError)
    expect(faults(durationBetween('1ms', '7d'), text)).toHaveLength(1)
  })

  it('have bounds, both taken', () => {
    const schema = durationBetween('1s', '1h')
    expect(['1s', '1000ms', '60m', '1h'].flatMap((text) => faults(schema, text))).toEqual([])
    for (const text of ['999ms', '0s', '61m', '3601s']) expect(faults(schema, text)).toHaveLength(1)
  })

  it('are written as a person would, and read back the same', () => {
    expect([0, 1, 1000, 60_000, 90_000, 3_600_000, 86_400_000].map(formatDuration)).toEqual([
      '0s',
      '1ms',
      '1s',
      '1m',
      '90s',
      '1h',
      '1d',
    ])
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 7 * 86_400_000 }), (ms) => {
        expect(durationMs(formatDuration(ms))).toBe(ms)
      }),
    )
  })

  it('of times are RFC 3339 in UTC', () => {
    expect(timestamp(0)).toBe('1970-01-01T00:00:00.000Z')
  })
})

describe('names', () => {
  it.each(['web', 'a', '1', 'a-b', 'x'.repeat(63)])('%s is a DNS label', (name) => {
    expect(faults(dnsLabel, name)).toEqual([])
  })
  it.each(['', 'Web', '-a', 'a-', 'a_b', 'a.b', 'x'.repeat(64), 'ä', 'a\n', 'a b'])('%j is none', (name) => {
    expect(faults(dnsLabel, name)).toHaveLength(1)
  })
  it.each(['web.example.com', '*.example.com', 'a.b'])('%s is a host name', (name) => {
    expect(faults(hostName, name)).toEqual([])
  })
  it.each([
    'web',
    '*',
    '*.*.com',
    'a..b',
    'Web.example.com',
    'web.example.com.',
    'a.b:80',
    `${'a.'.repeat(127)}b`.repeat(2),
  ])('%s is none', (name) => {
    expect(faults(hostName, name).length).toBeGreaterThan(0)
  })
})

const SERVICE = {
  team: 'shop',
  ports: [{ name: 'http', port: 80, protocol: 'http' }],
  versions: { v1: { labels: { version: 'v1' } } },
  initialVersion: 'v1',
  clusters: ['east'],
}

describe('a service', () => {
  it('is small, and the rest has defaults', () => {
    expect(serviceSpec.parse(SERVICE)).toEqual({ ...SERVICE, onDrift: 'restore', adopt: false })
  })

  it.each([
    ['an unknown field', { replicas: 3 }, ['/replicas']],
    [
      'an unknown field deep inside',
      { traffic: { retries: { attempts: 1, backoff: '1s' } } },
      ['/traffic/retries/backoff'],
    ],
    ['no port', { ports: [] }, ['/ports']],
    ['a port that is none', { ports: [{ name: 'http', port: 0, protocol: 'http' }] }, ['/ports/0/port']],
    ['a port with a fraction', { ports: [{ name: 'http', port: 80.5, protocol: 'http' }] }, ['/ports/0/port']],
    ['a protocol that is not built', { ports: [{ name: 'a', port: 80, protocol: 'udp' }] }, ['/ports/0/protocol']],
    [
      'a port twice',
      { ports: [...SERVICE.ports, { name: 'http', port: 80, protocol: 'http' }] },
      ['/ports/1/name', '/ports/1/port'],
    ],
    ['no version', { versions: {} }, ['/versions', '/initialVersion']],
    [
      'a version that is no DNS label',
      { versions: { 'V 1': { labels: { a: 'b' } }, ...SERVICE.versions } },
      ['/versions/V 1'],
    ],
    ['a version without labels', { versions: { v1: { labels: {} } } }, ['/versions/v1/labels']],
    ['a label that is none', { versions: { v1: { labels: { version: 'v 1' } } } }, ['/versions/v1/labels/version']],
    ['an initial version that is none', { initialVersion: 'v2' }, ['/initialVersion']],
    ['an initial version from the prototype', { initialVersion: 'constructor' }, ['/initialVersion']],
    ['weights with another sum', { traffic: { weights: { v1: 99 } } }, ['/traffic/weights']],
    ['weights with a fraction', { traffic: { weights: { v1: 99.5 } } }, ['/traffic/weights/v1']],
    ['weights below 0', { traffic: { weights: { v1: -1 } } }, ['/traffic/weights/v1', '/traffic/weights']],
    ['weights of no version', { traffic: { weights: { v9: 100 } } }, ['/traffic/weights/v9']],
    ['no labels to choose by', { clusters: { matchLabels: {} } }, ['/clusters/matchLabels']],
    ['a cluster that is no DNS label', { clusters: ['East'] }, ['/clusters/0']],
    ['a timeout without a unit', { traffic: { timeout: '5' } }, ['/traffic/timeout']],
    ['too many tries', { traffic: { retries: { attempts: 11 } } }, ['/traffic/retries/attempts']],
  ])('with %s is refused there', (_, change, pointers) => {
    expect(faults(serviceSpec, { ...SERVICE, ...change })).toEqual(pointers)
  })

  it('without what it needs is refused for each', () => {
    expect([...faults(serviceSpec, {})].sort()).toEqual([
      '/clusters',
      '/initialVersion',
      '/ports',
      '/team',
      '/versions',
    ])
  })
})

describe('a strategy', () => {
  const body = { steps: [{ weight: 10, for: '1m' }], gates: [] }
  it.each([
    ['no step', { steps: [] }, ['/steps']],
    [
      'weights that do not rise',
      {
        steps: [
          { weight: 10, for: '1m' },
          { weight: 10, for: '1m' },
        ],
      },
      ['/steps/1/weight'],
    ],
    ['a weight of 0', { steps: [{ weight: 0, for: '1m' }] }, ['/steps/0/weight']],
    ['a weight over 100', { steps: [{ weight: 101, for: '1m' }] }, ['/steps/0/weight']],
    ['a weight with a fraction', { steps: [{ weight: 2.5, for: '1m' }] }, ['/steps/0/weight']],
    ['a step that is too short', { steps: [{ weight: 10, for: '999ms' }] }, ['/steps/0/for']],
    ['a step that is too long', { steps: [{ weight: 10, for: '8d' }] }, ['/steps/0/for']],
    ['a gate of an unknown kind', { gates: [{ kind: 'cpu', limitPercent: 1 }] }, ['/gates/0/kind']],
    ['a limit of 0', { gates: [{ kind: 'errors', limitPercent: 0 }] }, ['/gates/0/limitPercent']],
    ['a limit over 50', { gates: [{ kind: 'errors', limitPercent: 51 }] }, ['/gates/0/limitPercent']],
    ['a latency gate without a latency', { gates: [{ kind: 'latency', limitPercent: 1 }] }, ['/gates/0/overMs']],
    ['certain false alarms', { alpha: 1 }, ['/alpha']],
  ])('with %s is refused there', (_, change, pointers) => {
    expect(faults(strategySpec, { ...body, ...change })).toEqual(pointers)
  })

  it('has the defaults of the design', () => {
    expect(strategySpec.parse(body)).toMatchObject({
      bake: '60m',
      alpha: 0.01,
      minEvents: 50,
      patience: '30m',
      readyTimeout: '10m',
      onBlind: 'pause',
    })
    expect(DEFAULT_STRATEGY).toMatchObject({
      steps: [5, 25, 50].map((weight) => ({ weight, for: '10m' })),
      gates: [{ kind: 'errors', limitPercent: 1 }],
    })
  })
})

describe('a rollout', () => {
  it('needs a candidate and no more', () => {
    expect(faults(rolloutRequest, { candidate: 'v2' })).toEqual([])
    expect(faults(rolloutRequest, { candidate: { name: 'v2', labels: { version: 'v2' } } })).toEqual([])
    expect(faults(rolloutRequest, {})).toEqual(['/candidate'])
  })

  it.each([
    ['an unknown field', { weight: 5 }, ['/weight']],
    ['its own alpha', { alpha: 0.2 }, ['/alpha']],
    ['no cluster', { clusters: [] }, ['/clusters']],
    ['a candidate without labels', { candidate: { name: 'v2', labels: {} } }, ['/candidate/labels']],
    ['a run URL that is no web address', { source: { runUrl: 'javascript:alert(1)' } }, ['/source/runUrl']],
  ])('with %s is refused there', (_, change, pointers) => {
    expect(faults(rolloutRequest, { candidate: 'v2', ...change })).toEqual(pointers)
  })
})

describe('a cluster', () => {
  const arm =
    '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/east'
  it('is registered by ARM id or by context, not by both, nor by none', () => {
    expect(faults(clusterSpec, { resourceId: arm })).toEqual([])
    expect(faults(clusterSpec, { kubeconfig: { context: 'east' } })).toEqual([])
    expect(faults(clusterSpec, { resourceId: arm, kubeconfig: { context: 'east' } })).toEqual([''])
    expect(faults(clusterSpec, {})).toEqual([''])
  })

  it.each(['/resourceGroups/../', '/resourceGroups/rg?a=b/', '/resourceGroups/r g/', '/resourceGroups/a%2fb/'])(
    'is not registered by an id that is another path once it is sent: %s',
    (group) => {
      expect(faults(clusterSpec, { resourceId: arm.replace('/resourceGroups/rg/', group) })).toEqual(['/resourceId'])
      for (const name of ['..', 'a\nb', 'a b', '-a']) {
        expect(faults(clusterSpec, { resourceId: arm.replace(/east$/, name) })).toEqual(['/resourceId'])
      }
      expect(faults(clusterSpec, { resourceId: arm.replace('/rg/', '/Größe_(1).x-y/') })).toEqual([])
    },
  )

  it.each([
    ['an ARM id of something else', { resourceId: '/subscriptions/x' }, ['/resourceId']],
    [
      'two sources of metrics',
      {
        kubeconfig: { context: 'a' },
        metrics: { prometheus: { url: 'http://a' }, azureMonitor: { endpoint: 'https://b' } },
      },
      ['/metrics'],
    ],
    [
      'a Prometheus that is a file',
      { kubeconfig: { context: 'a' }, metrics: { prometheus: { url: 'file:///etc/passwd' } } },
      ['/metrics/prometheus/url'],
    ],
    ['looks too close', { kubeconfig: { context: 'a' }, metrics: { every: '1s' } }, ['/metrics/every']],
    ['looks too often', { kubeconfig: { context: 'a' }, metrics: { every: '1s' } }, ['/metrics/every']],
  ])('with %s is refused there', (_, body, pointers) => {
    expect(faults(clusterSpec, body)).toEqual(pointers)
  })
})

describe('a freeze and a team', () => {
  it('take times with a zone alone', () => {
    expect(faults(freezeSpec, { reason: 'x', until: '2026-01-01T00:00:00+01:00' })).toEqual([])
    expect(faults(freezeSpec, { reason: 'x', until: '2026-01-01T00:00:00' })).toEqual(['/until'])
    expect(faults(freezeSpec, { reason: '' })).toEqual(['/reason'])
  })

  it('take Entra ids that are UUIDs', () => {
    expect(faults(teamSpec, { namespaces: ['a'], groups: ['11111111-1111-1111-1111-111111111111'] })).toEqual([])
    expect(faults(teamSpec, { namespaces: ['a'], groups: ['admins'] })).toEqual(['/groups/0'])
    const quiet = (timeZone: string) => ({ quietHours: { from: '22:00', to: '06:00', timeZone } })
    expect(faults(teamSpec, { namespaces: ['a'], groups: [], chat: quiet('Europe/Berlin') })).toEqual([])
    expect(faults(teamSpec, { namespaces: ['a'], groups: [], chat: quiet('Mars/Olympus') })).toEqual([
      '/chat/quietHours/timeZone',
    ])
    expect(faults(teamSpec, { namespaces: [], groups: [] })).toEqual(['/namespaces'])
  })
})
