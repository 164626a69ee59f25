import { describe, expect, test } from 'vitest'
import { filterLog, jsonLog, type LogLevels, type LogLine } from '../../../../src/sandbox/host/host-log.ts'

function passes(levels: LogLevels, line: Partial<LogLine>): boolean {
  let passed = false
  const log = filterLog(levels, () => {
    passed = true
  })
  log({ level: 'information', category: 'system', message: '', ...line })
  return passed
}

describe('log levels', () => {
  test.each([
    ['information by default', {}, {}, true],
    ['not debug by default', {}, { level: 'debug' }, false],
    ['the default can be raised', { default: 'error' }, { level: 'warning' }, false],
    ['none lets nothing through', { default: 'none' }, { level: 'critical' }, false],
    [
      'the longest name decides',
      { Function: 'error', 'Function.a': 'debug' },
      { functionName: 'a', level: 'debug' },
      true,
    ],
    ['a name is a whole name', { 'Function.a': 'debug' }, { functionName: 'ab', level: 'debug' }, false],
    [
      'own lines of a function',
      { 'Function.a.User': 'trace' },
      { functionName: 'a', category: 'user', level: 'trace' },
      true,
    ],
    ['lines of the host', { Host: 'warning' }, {}, false],
  ] as [string, LogLevels, Partial<LogLine>, boolean][])('%s', (_reason, levels, line, expected) => {
    expect(passes(levels, line)).toBe(expected)
  })

  test('a line is one JSON object with its time, whatever it says', () => {
    const written: string[] = []
    jsonLog(
      (text) => written.push(text),
      () => 0,
    )({ level: 'error', category: 'user', message: 'two\nlines "quoted"' })
    expect(written).toHaveLength(1)
    expect(written[0]?.indexOf('\n')).toBe((written[0]?.length ?? 0) - 1)
    expect(JSON.parse(written[0] ?? '')).toEqual({
      time: '1970-01-01T00:00:00.000Z',
      level: 'error',
      category: 'user',
      message: 'two\nlines "quoted"',
    })
  })
})
