import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'

const DEADLINE_MS = 5000

/**
 * One TLS handshake of which only what the server shows is wanted: looked at, not trusted, so that an old or expired certificate
 * is an answer too. `read` takes it from the socket and closes that; undefined when there was none to read within five seconds.
 */
export function lookAtServer<T>(options: ConnectionOptions, read: (socket: TLSSocket) => T): Promise<T | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ ...options, rejectUnauthorized: false })
    const deadline = setTimeout(() => socket.destroy(), DEADLINE_MS)
    socket.once('secureConnect', () => resolve(read(socket)))
    // After that there is nothing more to resolve: a server may well answer the good-bye with a reset.
    socket.on('error', () => resolve(undefined))
    socket.once('close', () => {
      clearTimeout(deadline)
      resolve(undefined)
    })
  })
}
