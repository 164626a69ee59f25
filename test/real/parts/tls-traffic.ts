import { request } from 'node:https'
import type { TLSSocket } from 'node:tls'
import type { Gateway } from './gateway.ts'

/** One new TLS connection with one request on it, as its client saw it. */
export interface TlsAnswer {
  /** When the connection began, and when its handshake was done: milliseconds of `performance.now()`. */
  readonly beganAt: number
  readonly shownAt: number
  /** HTTP status; 0 when there was no answer. */
  readonly status: number
  /** Serial of the certificate that the server showed, lower-case hex; empty when there was no handshake. */
  readonly serial: string
  /** The error, where there was no answer. */
  readonly detail?: string
}

/** Opens a new connection to a gateway, without a session of an earlier one, and sends one request. Never rejects. */
export function connectOnce({ address, port, host }: Gateway): Promise<TlsAnswer> {
  const beganAt = performance.now()
  let [shownAt, serial] = [0, '']
  return new Promise((resolve) => {
    const end = (status: number, detail?: string) =>
      resolve({ beganAt, shownAt, status, serial, ...(detail === undefined ? {} : { detail }) })
    const outgoing = request({
      host: address,
      port,
      servername: host,
      headers: { host },
      agent: false,
      rejectUnauthorized: false,
      timeout: 10_000,
    })
    outgoing.on('socket', (socket) => {
      const tls = socket as TLSSocket
      tls.once('secureConnect', () => {
        shownAt = performance.now()
        serial = tls.getPeerCertificate().serialNumber.toLowerCase().replace(/^0+/, '')
      })
    })
    outgoing.on('response', (incoming) => {
      incoming.resume()
      incoming.on('error', (error) => end(0, error.message))
      incoming.on('end', () => end(incoming.statusCode ?? 0))
    })
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in 10 s')))
    outgoing.on('error', (error) => end(0, error.message))
    outgoing.end()
  })
}

/**
 * Answers that were shown `old` on a connection that began after another one had been shown `next`: a server that goes
 * back. None, if it changed once.
 */
export function wentBack(answers: readonly TlsAnswer[], old: string, next: string): readonly TlsAnswer[] {
  const first = Math.min(...answers.filter(({ serial }) => serial === next).map(({ shownAt }) => shownAt))
  return answers.filter(({ serial, beganAt }) => serial === old && beganAt > first)
}
