import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import { promisify } from 'node:util'

/**
 * Makes new key pairs at once and not in a thread of the machine, which takes as long as it likes: virtual time would go on
 * meanwhile, now more and now less. `onKey` gets the private half, PKCS #8 PEM. Answers with what puts
 * it back.
 */
export function makeKeysAtOnce(onKey: (pem: string) => void): () => void {
  const real = crypto.generateKeyPair
  const atOnce = () => {
    throw new Error('the simulation knows generateKeyPair by promisify only')
  }
  const made = async (...args: Parameters<typeof crypto.generateKeyPairSync>) => {
    const pair = crypto.generateKeyPairSync(...args)
    onKey(String((pair.privateKey as unknown as crypto.KeyObject).export({ format: 'pem', type: 'pkcs8' })))
    return pair
  }
  Object.defineProperty(atOnce, promisify.custom, { value: made })
  put(atOnce as unknown as typeof real)
  return () => put(real)
}

function put(generateKeyPair: typeof crypto.generateKeyPair): void {
  crypto.generateKeyPair = generateKeyPair
  syncBuiltinESMExports()
}
