import { lookup as dnsLookup } from 'node:dns/promises'
import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net'
import type { AddressPolicy } from '../ports/address-policy.ts'

/** The IP addresses of a host name; rejects when it has none. */
export type Lookup = (host: string) => Promise<readonly string[]>

export interface OutsideAddressSettings {
  /** `prometheus.example.com`, `prometheus.example.com:9090`, or `*.example.com` for every name below. */
  readonly hosts: readonly string[]
  /**
   * What resolves to loopback and private addresses may be called without being in `hosts`: in the local host, never in
   * Azure. Without it hosts of the settings may be private still (a receiver in a virtual network), but not loopback.
   */
  readonly allowPrivate: boolean
}

/**
 * Never called: they lead to the machine's own metadata and identity, or nowhere. Of IPv6 also what may carry any address
 * of IPv4 within: NAT64, 6to4, translated and IPv4-compatible addresses.
 */
const FORBIDDEN = blockList(
  [
    '0.0.0.0/8',
    '169.254.0.0/16',
    '168.63.129.16/32',
    '192.0.0.192/32',
    '100.100.100.200/32',
    '224.0.0.0/4',
    '240.0.0.0/4',
  ],
  [
    '::/128',
    'fe80::/10',
    'ff00::/8',
    'fd00:ec2::/32',
    '64:ff9b::/96',
    '64:ff9b:1::/48',
    '2002::/16',
    '::ffff:0:0:0/96',
  ],
)
// IPv4-compatible (::/96), but not ::1.
FORBIDDEN.addRange('::2', '::ffff:ffff', 'ipv6')
const LOOPBACK = blockList(['127.0.0.0/8'], ['::1/128'])
const PRIVATE = blockList(
  ['10.0.0.0/8', '127.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10'],
  ['::1/128', 'fc00::/7'],
)

export async function systemLookup(host: string): Promise<readonly string[]> {
  return (await dnsLookup(host, { all: true })).map(({ address }) => address)
}

/** The policy, and what it says of a URL whose host has these IP addresses: for who connects, and asks for them itself. */
export interface OutsideAddresses extends AddressPolicy {
  refusalAt(url: URL, addresses: readonly string[]): string | undefined
}

/**
 * Says which outside addresses may be called: hosts of the settings and, where allowed, what resolves to loopback and
 * private addresses only. A name whose address is a forbidden one is refused whatever the settings say, and one that is
 * loopback where private addresses are not allowed. The check is made before a call; where the call looks the name up again (all but `guardedFetch`), the settings should list only
 * names of trusted zones.
 */
export function outsideAddresses(settings: OutsideAddressSettings, lookup: Lookup): OutsideAddresses {
  return {
    async refusal(text) {
      const url = URL.canParse(text) ? new URL(text) : undefined
      if (url === undefined) return 'it is not a URL'
      if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'it must begin with http:// or https://'
      if (url.username !== '' || url.password !== '') return 'it must not hold a user name or password'
      const host = hostOf(url)
      return refusalAt(settings, url, isIP(host) ? [host] : await lookup(host).catch(() => []))
    },
    refusalAt: (url, addresses) => refusalAt(settings, url, addresses),
  }
}

/**
 * Says which addresses of Pods may be called: IP addresses of private networks, as a cluster's API gives them, and none of the
 * machine itself, of its metadata or of its neighbourhood on the link. No setting opens it further.
 */
export function podAddresses(): AddressPolicy {
  return {
    async refusal(text) {
      const url = URL.canParse(text) ? new URL(text) : undefined
      const host = url?.protocol === 'https:' ? hostOf(url) : ''
      if (isIP(host) === 0) return 'it is no IP address'
      const isOff = contains(FORBIDDEN, host) || contains(LOOPBACK, host) || !contains(PRIVATE, host)
      return isOff ? 'its address is none of a private network' : undefined
    },
  }
}

function refusalAt(
  { hosts, allowPrivate }: OutsideAddressSettings,
  url: URL,
  addresses: readonly string[],
): string | undefined {
  const host = hostOf(url)
  if (addresses.some((address) => contains(FORBIDDEN, address))) {
    return 'its address is one of the machine itself, link-local or multicast, which is never called'
  }
  if (isListed(hosts, host, url.port)) {
    const leadsHome = !allowPrivate && addresses.some((address) => contains(LOOPBACK, address))
    return leadsHome ? 'its address is loopback, which is called in the local host only' : undefined
  }
  if (!allowPrivate) return `the host ${host} is not among the hosts of the settings`
  if (addresses.length === 0) return `the host ${host} has no address`
  if (addresses.every((address) => contains(PRIVATE, address))) return undefined
  return `the host ${host} is neither private nor among the hosts of the settings`
}

function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '')
}

function isListed(hosts: readonly string[], host: string, port: string): boolean {
  return hosts.some((listed) => {
    const name = listed.toLowerCase()
    if (name.startsWith('*.')) return host.endsWith(name.slice(1)) && host.length > name.length - 1
    return name === host || name === `${host}:${port}`
  })
}

/** An IPv4 address in the dress of IPv6 (`::ffff:169.254.169.254`) is looked at as what it is. */
function contains(list: BlockList, address: string): boolean {
  const plain = address.split('%')[0] ?? ''
  if (isIPv4(plain)) return list.check(plain, 'ipv4')
  return !isIPv6(plain) || list.check(plain, 'ipv6')
}

function blockList(ipv4: readonly string[], ipv6: readonly string[]): BlockList {
  const list = new BlockList()
  for (const [subnets, family] of [
    [ipv4, 'ipv4'],
    [ipv6, 'ipv6'],
  ] as const) {
    for (const subnet of subnets) {
      const [net = '', bits = ''] = subnet.split('/')
      list.addSubnet(net, Number(bits), family)
    }
  }
  return list
}
