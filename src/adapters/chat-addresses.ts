import type { AddressPolicy } from '../ports/address-policy.ts'
import { PortError } from '../ports/port-error.ts'

const TEAMS_SUFFIXES = ['.logic.azure.com', '.environment.api.powerplatform.com']
const LOOPBACK = /^(127(\.\d{1,3}){3}|\[::1\]|localhost)$/

/**
 * Throws PortError `denied` unless `text` is an address of Teams Workflows by https, or one that the settings allow.
 * Neither the address nor a part of it is in the message: whoever has it may post.
 */
export async function checkTeamsAddress(text: string, addresses: AddressPolicy): Promise<void> {
  const url = plainUrl(text)
  if (url === undefined) throw refused('Teams', 'the secret holds no address')
  if (url.protocol === 'https:' && url.port === '' && TEAMS_SUFFIXES.some((suffix) => url.hostname.endsWith(suffix)))
    return
  if (url.protocol !== 'https:' && !LOOPBACK.test(url.hostname)) throw refused('Teams', 'it must begin with https://')
  if ((await addresses.refusal(text)) !== undefined)
    throw refused('Teams', 'it is neither one of Teams Workflows nor among the hosts of the settings')
}

/** Throws PortError `denied` unless `text` is a response_url of Slack. */
export function checkSlackResponseUrl(text: string): void {
  const url = plainUrl(text)
  if (url?.protocol !== 'https:' || url.host !== 'hooks.slack.com')
    throw refused('Slack', 'it is none of hooks.slack.com')
}

function plainUrl(text: string): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined
  return url?.username === '' && url.password === '' ? url : undefined
}

function refused(system: string, why: string): PortError {
  return new PortError('denied', system, `the address is not called: ${why}`, { reason: 'AddressRefused' })
}
