import { isIP } from 'node:net'
import type { AddressPolicy } from '../ports/address-policy.ts'
import type { PodHandshakes } from '../ports/handshake.ts'
import { lookAtServer } from './look-at-server.ts'

/**
 * What a proxy of Istio says in its own handshakes, whatever it carries then; by one of them a proxy in PERMISSIVE mode knows that
 * it is spoken to (`pilot/pkg/networking/core/listener.go`).
 */
const OF_THE_MESH = ['istio', 'istio-http/1.1', 'istio-h2']

/**
 * Handshakes with proxies of Pods. A proxy wants a certificate of ours and breaks off without; by TLS 1.3 it has shown its own
 * before it can tell that we have none. The policy is asked before each.
 */
export function tlsPodHandshakes(addresses: AddressPolicy): PodHandshakes {
  return {
    async leaf(address, port) {
      const kind = isIP(address)
      const isPort = Number.isInteger(port) && port > 0 && port < 65_536
      if (kind === 0 || !isPort) return undefined
      const url = `https://${kind === 6 ? `[${address}]` : address}:${port}/`
      return (await addresses.refusal(url)) === undefined ? shownLeaf(address, port) : undefined
    },
  }
}

function shownLeaf(host: string, port: number): Promise<string | undefined> {
  const options = { host, port, ALPNProtocols: OF_THE_MESH, minVersion: 'TLSv1.3' } as const
  return lookAtServer(options, (socket) => {
    const leaf = socket.getPeerX509Certificate()
    // That it breaks off without a certificate of ours is what is expected.
    socket.destroy()
    return leaf?.toString()
  })
}
