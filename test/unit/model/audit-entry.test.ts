import { describe, expect, it } from 'vitest'
import type { AuditRecord } from '../../../src/model/audit.ts'
import { type AuditedChange, auditEntry, auditSubject } from '../../../src/model/audit-entry.ts'
import { AT, aCaller, by } from '../fakes/documents.ts'

function record(change: Partial<AuditedChange>): AuditRecord {
  const entry = auditEntry({
    action: 'service.put',
    subject: 'services/shop/web',
    unique: '1',
    time: AT,
    context: by(),
    ...change,
  })
  if (entry.kind !== 'audit') throw new Error('no audit entry')
  return entry.record
}

const pipeline = by({ caller: aCaller({ kind: 'application', name: 'CI' }) })
const runUrl = 'https://ci.example/runs/7'

describe('where a change came from', () => {
  it.each([
    ['a person over REST', {}, { kind: 'rest' }],
    ['an application', { context: pipeline }, { kind: 'pipeline' }],
    ['an application, on a rollout of a run', { context: pipeline, runUrl }, { kind: 'pipeline', ref: runUrl }],
    ['a person, on a rollout of a run', { runUrl }, { kind: 'rest' }],
    ['a person, with a body that names the run', { runUrl, fromRun: true }, { kind: 'pipeline', ref: runUrl }],
    ['chat', { context: by({ origin: { kind: 'slack', ref: '#ops' } }), runUrl }, { kind: 'slack', ref: '#ops' }],
  ] as const)('%s', (_, change, origin) => {
    expect(record(change).origin).toEqual(origin)
  })
})

describe('before and after', () => {
  const big = 'x'.repeat(60_000)

  it('are whole up to 100 KB', () => {
    expect(record({ before: { a: 1 }, after: { a: 2, text: big } })).toMatchObject({
      before: { a: 1 },
      after: { a: 2, text: big },
    })
    expect(record({ after: { text: big } })).not.toHaveProperty('before')
    expect(record({ after: { text: big } })).not.toHaveProperty('note')
  })

  it('show only what differs when the whole is larger', () => {
    expect(record({ before: { a: 1, text: big }, after: { a: 2, b: 3, text: big } })).toMatchObject({
      before: { a: 1 },
      after: { a: 2, b: 3 },
      note: expect.stringContaining('Only fields that differ'),
    })
  })

  it('are left out when even that is', () => {
    const left = record({ before: { text: `${big}1` }, after: { text: `${big}2` } })
    expect(left).toMatchObject({ note: expect.stringContaining('left out') })
    expect(left).not.toHaveProperty('before')
    expect(left).not.toHaveProperty('after')
  })
})

it('names the request, the subject and the happening', () => {
  expect(auditSubject('strategy', 'default')).toBe('strategies/default')
  expect(record({ context: by({ requestId: 'r1' }) })).toMatchObject({
    id: 'service.put:services/shop/web:1',
    requestId: 'r1',
    actor: { kind: 'person', id: 'p1', name: 'Ada' },
  })
})
