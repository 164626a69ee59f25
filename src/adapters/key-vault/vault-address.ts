import { PortError } from '../../ports/port-error.ts'

const HOST = /^([a-z0-9-]{3,24})\.vault\.azure\.net$/

/**
 * The address of a vault, checked: `https://NAME.vault.azure.net` and nothing else, for our token goes there. Throws
 * PortError `denied` (`AddressRefused`).
 */
export function vaultAddress(url: string): { readonly url: string; readonly name: string } {
  const parsed = URL.parse(url)
  const name = parsed && isBare(parsed) ? HOST.exec(parsed.hostname)?.[1] : undefined
  if (name !== undefined) return { url: `https://${name}.vault.azure.net`, name }
  const message = 'a vault has an address of the form https://NAME.vault.azure.net'
  throw new PortError('denied', 'Key Vault', message, { reason: 'AddressRefused' })
}

function isBare({ protocol, port, username, password, pathname, search, hash }: URL): boolean {
  return protocol === 'https:' && `${port}${username}${password}${search}${hash}` === '' && pathname === '/'
}
