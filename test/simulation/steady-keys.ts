import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import { promisify } from 'node:util'

/**
 * Makes new key pairs at once and not in a thread of the machine, which takes as long as it likes: virtual time would go on
 * meanwhile, now more and now less. Answers with what puts it back.
 */
export function makeKeysAtOnce(): () => void {
  const real = crypto.generateKeyPair
  const atOnce = () => {
    throw new Error('the simulation knows generateKeyPair by promisify only')
  }
  const made = async (...args: Parameters<typeof crypto.generateKeyPairSync>) => crypto.generateKeyPairSync(...args)
  Object.defineProperty(atOnce, promisify.custom, { value: made })
  put(atOnce as unknown as typeof real)
  return () => put(real)
}

function put(generateKeyPair: typeof crypto.generateKeyPair): void {
  crypto.generateKeyPair = generateKeyPair
  syncBuiltinESMExports()
}
