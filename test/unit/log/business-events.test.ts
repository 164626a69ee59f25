import { describe, expect, it } from 'vitest'
import { logEvent } from '../../../src/log/event-kept.ts'
import { logReconcile } from '../../../src/log/reconcile-ended.ts'
import { logScan } from '../../../src/log/scan-ended.ts'
import { logSweep } from '../../../src/log/sweep-ended.ts'
import { observeWork } from '../../../src/log/work-observed.ts'
import type { EventRecord } from '../../../src/model/event.ts'
import { GATE } from '../../../src/model/identity.ts'
import type { LogFields } from '../../../src/ports/logger.ts'
import { NO_TELEMETRY } from '../../../src/ports/telemetry.ts'
import { AT } from '../fakes/documents.ts'

function witness() {
  const lines: (readonly [level: string, event: string, fields: LogFields])[] = []
  const measured: unknown[] = []
  const keep = (...what: unknown[]) => void measured.push(what)
  return {
    lines,
    measured,
    logger: { log: (level: string, event: string, fields: LogFields = {}) => void lines.push([level, event, fields]) },
    telemetry: { ...NO_TELEMETRY, count: keep, record: keep, gauge: keep },
    clock: { now: () => Date.parse(AT), sleep: async () => undefined },
  }
}

function event(type: string, more: Partial<EventRecord> = {}): EventRecord {
  const subject = type.startsWith('cluster') ? 'clusters/east' : 'rollouts/shop.web.k3'
  return { id: 'e1', type, time: AT, subject, actor: GATE, reason: 'Because', message: 'It is so', ...more }
}

const look = (verdict: string) => event('rollout.look', { data: { cluster: 'east', gate: 0, verdict: { verdict } } })
const phase = (to: string) => event(`rollout.${to}`, { data: { rollout: 'shop.web.k3', from: 'progressing', to } })

describe('an event', () => {
  it.each([
    [phase('promoting'), 'info', 'rollout.transition', 'meshwright.rollout.transitions', { phase: 'promoting' }],
    [phase('rolling-back'), 'warn', 'rollout.transition', 'meshwright.rollout.transitions', { phase: 'rolling-back' }],
    [phase('failed'), 'error', 'rollout.transition', 'meshwright.rollout.transitions', { phase: 'failed' }],
    [look('safe'), 'debug', 'gate.verdict', 'meshwright.gate.verdicts', { verdict: 'safe', cluster: 'east' }],
    [look('harm'), 'warn', 'gate.verdict', 'meshwright.gate.verdicts', { verdict: 'harm', cluster: 'east' }],
    [look('blind'), 'warn', 'gate.verdict', 'meshwright.gate.verdicts', { verdict: 'blind', cluster: 'east' }],
    [
      event('placement.drift-restored', { data: { cluster: 'east' } }),
      'warn',
      'drift.restored',
      'meshwright.drift.restored',
      { cluster: 'east' },
    ],
    [
      event('cluster.condition', { message: 'Reachable is False: no answer' }),
      'warn',
      'cluster.event',
      'meshwright.cluster.changes',
      { reason: 'Because', cluster: 'east' },
    ],
    [
      event('certificate.rotation-failed'),
      'error',
      'certificate.event',
      'meshwright.certificate.events',
      { type: 'certificate.rotation-failed', reason: 'Because' },
    ],
    [event('cluster.registered'), 'info', 'cluster.event', undefined, {}],
    [event('service.changed'), 'info', 'event.kept', undefined, {}],
  ] as const)('%o is told as %s %s', (record, level, name, metric, attributes) => {
    const told = witness()
    logEvent(told, record)
    expect(told.lines).toMatchObject([[level, name, { type: record.type, reason: 'Because', eventId: 'e1' }]])
    if (metric === undefined) expect(told.measured).toEqual([])
    else expect(told.measured).toEqual([[metric, expect.objectContaining(attributes)]])
  })
})

it('a pass is told with its outcome and time; one that failed warns', () => {
  const told = witness()
  const end = { service: 'shop/web', cluster: 'east', reason: 'Live', message: 'All is live', durationMs: 12 }
  logReconcile(told, { ...end, state: 'live' })
  logReconcile(told, { ...end, state: 'failed' })
  expect(told.lines.map(([level, name]) => `${level} ${name}`)).toEqual([
    'info reconcile.ended',
    'warn reconcile.ended',
  ])
  expect(told.measured[0]).toEqual(['meshwright.reconcile.duration', 12, { outcome: 'live', cluster: 'east' }])
})

it('work that fails is told, counted and thrown on', async () => {
  const told = witness()
  const message = { kind: 'probe', cluster: 'east', session: 'a session' } as const
  await observeWork(told, message, async () => undefined)
  expect(told.lines).toEqual([])
  await expect(observeWork(told, message, () => Promise.reject(new Error('lost')))).rejects.toThrow('lost')
  expect(told.lines).toMatchObject([['warn', 'work.failed', { kind: 'probe', cluster: 'east' }]])
  expect(told.lines[0]?.[2]).not.toHaveProperty('session')
  expect(told.measured.slice(1)).toEqual([
    ['meshwright.work.duration', 0, { kind: 'probe', result: 'failed' }],
    ['meshwright.work.failures', { kind: 'probe' }],
  ])
})

it('a scan tells which certificate ends first, and of vaults that did not answer', () => {
  const told = witness()
  const found = { certificates: 2, vaults: 1, pages: 1, queued: 0, failed: [] }
  const soonest = { certificate: 'web', notAfter: '2026-05-11T22:00:00.000Z' }
  logScan(told, { ...found, soonest }, Date.parse(AT))
  logScan(told, { ...found, certificates: 0, failed: ['https://v.vault.azure.net'] }, Date.parse(AT))
  expect(told.measured).toEqual([['meshwright.certificate.days_left', 10.5]])
  expect(told.lines.map(([level, name]) => `${level} ${name}`)).toEqual(['info scan.ended', 'warn scan.ended'])
})

it('a sweep sets its gauges, and is told only when it found something', () => {
  const told = witness()
  logSweep(told, { due: 0, unrelayed: 0, oldestS: 0 })
  logSweep(told, { due: 2, unrelayed: 1, oldestS: 30 })
  expect(told.lines).toEqual([['info', 'sweep.ended', { due: 2, unrelayed: 1, oldestS: 30 }]])
  expect(told.measured).toContainEqual(['meshwright.outbox.age', 30])
})
