import type { KeyObject } from 'node:crypto'

const CURVES = ['prime256v1', 'secp384r1']
const LEAST_RSA_BITS = 2048

/** What a CA's key may be: istiod's own signing knows RSA, P-256 and P-384. */
export function isGoodKey({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): boolean {
  const { modulusLength = 0, namedCurve = '' } = asymmetricKeyDetails ?? {}
  if (asymmetricKeyType === 'rsa') return modulusLength >= LEAST_RSA_BITS
  return asymmetricKeyType === 'ec' && CURVES.includes(namedCurve)
}

/** What `isGoodKey` wants, for people. */
export const GOOD_KEYS = 'RSA with 2,048 bits or more, EC P-256 or EC P-384'
