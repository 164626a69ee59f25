import type { Table } from '../emulator.ts'
import { generateKey } from './keys.ts'
import { type Authority, authority } from './x509.ts'

/** The CA behind the integrated issuers: a root that is kept offline, so to say, and what signs. */
export interface IssuingAuthority {
  readonly root: Authority
  readonly intermediate: Authority
}

const FROM = Date.UTC(2020, 0, 1)
const UNTIL = Date.UTC(2060, 0, 1)

/** The CA of the table; made at the first call. */
export async function openAuthority(table: Table): Promise<IssuingAuthority> {
  const kept = table.get('authority') as IssuingAuthority | undefined
  if (kept) return kept
  // RSA signs the same way twice: what is issued in a simulation does not hang on chance.
  const keys = await Promise.all([generateKey({ kty: 'RSA', size: 2048 }), generateKey({ kty: 'RSA', size: 2048 })])
  const validity = { notBefore: FROM, notAfter: UNTIL }
  const root = await authority(keys[0], 'CN=Emulated Root CA, O=Meshwright Sandbox', { ...validity, serial: '01' })
  const name = 'CN=Emulated Issuing CA, O=Meshwright Sandbox'
  const intermediate = await authority(keys[1], name, { ...validity, serial: '02' }, root)
  const made = { root, intermediate }
  table.put('authority', made)
  return made
}
