import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { type Issued, issueIntermediate, issueRoot } from '../../src/authority/issue.ts'
import { localSigner } from '../../src/authority/signature.ts'

/** A CA of somebody else, with a root of its own. */
export interface OutsideCa {
  /** PEM. */
  readonly root: string
  /** Of the root: SHA-256 of its DER, lower-case hex. */
  readonly fingerprint: string
  /** What it makes of a CSR (PEM): the chain, the intermediate first. */
  sign(csr: string, now: number): Promise<string>
}

const DAY_MS = 86_400_000

/** `number` tells its roots and their certificates apart. `now` is epoch milliseconds. */
export async function createOutsideCa(number: number, now: number): Promise<OutsideCa> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' })
  const signer = localSigner(String(privateKey.export({ format: 'pem', type: 'pkcs8' })))
  let serials = 0
  const terms = (at: number, days: number) => {
    serials += 1
    return {
      notBefore: at - DAY_MS,
      notAfter: at + days * DAY_MS,
      serial: new Uint8Array(16).fill(number * 16 + serials),
    }
  }
  const name = { organization: 'Somebody else', commonName: `Root ${number}` }
  const root = unwrap(
    await issueRoot(name, publicKey.export({ format: 'der', type: 'spki' }), terms(now, 3650), signer),
  )
  return {
    root,
    fingerprint: new X509Certificate(root).fingerprint256.replaceAll(':', '').toLowerCase(),
    sign: async (request, at) => unwrap(await issueIntermediate({ request }, root, terms(at, 365), signer)),
  }
}

function unwrap(issued: Issued): string {
  if (issued.ok) return issued.value
  throw new Error(issued.message)
}
