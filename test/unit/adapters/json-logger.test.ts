import { describe, expect, it } from 'vitest'
import { jsonLogger } from '../../../src/adapters/json-logger.ts'
import { PortError } from '../../../src/ports/port-error.ts'
import { virtualClock } from './virtual-clock.ts'

function logged(event: string, fields?: Record<string, unknown>): Record<string, unknown> {
  const lines: string[] = []
  jsonLogger((_, line) => lines.push(line), virtualClock()).log('info', event, fields)
  return JSON.parse(lines[0] ?? '')
}

describe('a log line', () => {
  it('has time, level, event and fields', () => {
    expect(logged('relay.failed', { key: 'shop/web', count: 2, none: undefined })).toEqual({
      time: '2030-01-01T00:00:00.000Z',
      level: 'info',
      event: 'relay.failed',
      key: 'shop/web',
      count: 2,
    })
  })

  it('is left out below the least level', () => {
    const lines: string[] = []
    const logger = jsonLogger((level) => lines.push(level), virtualClock(), { least: 'warn' })
    for (const level of ['debug', 'info', 'warn', 'error'] as const) logger.log(level, 'x')
    expect(lines).toEqual(['warn', 'error'])
  })

  it('tells an error and its cause', () => {
    const cause = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
    const error = new PortError('unavailable', 'Kubernetes east', 'no answer', { reason: 'ConnectionRefused', cause })
    expect(logged('x', { error })).toMatchObject({
      error: {
        name: 'PortError',
        kind: 'unavailable',
        system: 'Kubernetes east',
        reason: 'ConnectionRefused',
        message: 'no answer',
        cause: { code: 'ECONNREFUSED' },
      },
    })
  })

  it.each([
    { token: 's3cret' },
    { headers: { Authorization: 's3cret', cookie: 's3cret' } },
    { clientSecret: 's3cret', accountKey: 's3cret', kubeconfig: 's3cret', list: [{ password: 's3cret' }] },
    { text: 'sent Bearer s3cret-s3cret-s3cret to' },
    { text: 'AccountName=a;AccountKey=s3cret==;EndpointSuffix=x' },
    { text: 'https://u:s3cret@host/path' },
    { text: '-----BEGIN RSA PRIVATE KEY-----\ns3cret\n-----END RSA PRIVATE KEY-----' },
    { text: 'data: LS0tLS1CRUdJTis3cret+s3cret=' },
    {
      error: new Error('bad token eyJhbGciOiJIUzI1NiJ9.eyJzM2NyZXQiOjF9.s3crets3cret', { cause: { secret: 's3cret' } }),
    },
  ])('hides what looks like a secret: %o', (fields) => {
    expect(JSON.stringify(logged('x', fields))).not.toContain('s3cret')
  })

  it('is written whatever the fields are', () => {
    const circle: Record<string, unknown> = { big: 10n, when: new Date(0) }
    circle.self = circle
    expect(logged('x', circle)).toMatchObject({ big: '10', when: '1970-01-01T00:00:00.000Z', event: 'x' })
    const trap = {
      get field() {
        throw new Error('no')
      },
    }
    expect(logged('x', { trap })).toMatchObject({ event: 'x' })
    expect(logged('x', { text: 'a'.repeat(100_000) }).text).toHaveLength(4001)
  })
})
