import { createHash, X509Certificate } from 'node:crypto'
import { serialText } from '../../model/certificate.ts'
import type { CaCertificate } from '../../model/mesh-ca.ts'
import { timestamp } from '../../model/names.ts'

const BLOCK = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g
/** No mesh trusts so many roots; more are not looked at. */
const MOST = 50
const SUBJECT_CHARACTERS = 200

/** The certificates of a trust bundle in its order, each once. Proxies pass over what is no certificate, and so does this. */
export function readRoots(pem: string): readonly CaCertificate[] {
  const roots = (pem.match(BLOCK) ?? []).slice(0, MOST).flatMap((block) => readRoot(block) ?? [])
  return [...new Map(roots.map((root) => [root.fingerprint, root])).values()]
}

function readRoot(block: string): CaCertificate | undefined {
  try {
    const { raw, serialNumber, subject, validFrom, validTo } = new X509Certificate(block)
    return {
      serial: serialText(serialNumber),
      fingerprint: createHash('sha256').update(raw).digest('hex'),
      // Node gives undefined where there is no subject, whatever its types say.
      subject: ((subject as string | undefined) ?? '').split('\n').join(', ').slice(0, SUBJECT_CHARACTERS),
      notBefore: timestamp(Date.parse(validFrom)),
      notAfter: timestamp(Date.parse(validTo)),
    }
  } catch {
    return undefined
  }
}
