import { isIP } from 'node:net'
import type { PeerCertificate } from 'node:tls'
import { serialText } from '../model/certificate.ts'
import type { AddressPolicy } from '../ports/address-policy.ts'
import type { Handshakes, ShownCertificate } from '../ports/handshake.ts'
import { lookAtServer } from './look-at-server.ts'

/**
 * TLS handshakes over sockets. Nothing is sent after the handshake, and nothing that the server says is trusted. The policy
 * is asked before each; a name is looked up again by the connection itself.
 */
export function tlsHandshakes(addresses: AddressPolicy): Handshakes {
  return {
    async look(host, port, serverName) {
      const authority = isIP(host) === 6 ? `[${host}]` : host
      const url = `https://${authority}:${port}/`
      // What the policy judges must be what is called: "allowed.example/.elsewhere" is not.
      if (isIP(host) === 0 && URL.parse(url)?.hostname !== host.toLowerCase()) return undefined
      if (!URL.canParse(url) || (await addresses.refusal(url)) !== undefined) return undefined
      return handshake(host, port, serverName)
    },
  }
}

function handshake(host: string, port: number, servername: string): Promise<ShownCertificate | undefined> {
  return lookAtServer({ host, port, servername, ALPNProtocols: ['h2', 'http/1.1'] }, (socket) => {
    const shown = shownBy(socket.getPeerCertificate())
    socket.end()
    return shown
  })
}

function shownBy({ serialNumber, valid_to }: PeerCertificate): ShownCertificate | undefined {
  if (!serialNumber) return undefined
  return { serial: serialText(serialNumber), notAfter: new Date(valid_to).toISOString() }
}
