import { generateKeyPairSync } from 'node:crypto'
import type { EmulatorResponse } from '../../src/sandbox/emulators/emulator.ts'
import { bodyText } from '../../src/sandbox/transports/wire.ts'

/** The key of a secret is not the certificate's, as after an import that went wrong. */
export function withOtherKey(response: EmulatorResponse): EmulatorResponse {
  return withBlocks(response, (blocks) => blocks.map((block) => (block.includes('PRIVATE') ? OTHER_KEY : block)))
}

/** Vaults keep a chain in the order in which it was imported. */
export function inOtherOrder(response: EmulatorResponse): EmulatorResponse {
  return withBlocks(response, (blocks) => blocks.toReversed())
}

/** The answer with the blocks of PEM in it changed; an answer with none is left as it is. */
function withBlocks(response: EmulatorResponse, change: (blocks: string[]) => string[]): EmulatorResponse {
  const text = bodyText(response)
  if (response.status !== 200 || !text.includes('PRIVATE KEY')) return response
  const body = JSON.parse(text) as { readonly value: string }
  return { ...response, body: JSON.stringify({ ...body, value: change(body.value.split(/(?=-----BEGIN)/)).join('') }) }
}

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const OTHER_KEY = String(privateKey.export({ type: 'pkcs8', format: 'pem' }))
/** Good for nothing, and as secret as any; PKCS #8 DER, base64. */
export const OTHER_PKCS8 = privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64')
