import { beforeAll, expect, it } from 'vitest'
import { checkBundle } from '../../../src/authority/ca-bundle.ts'
import { makeCaKey } from '../../../src/authority/ca-key.ts'
import { type Issued, issueIntermediate, issueRoot } from '../../../src/authority/issue.ts'
import { spkiOf } from '../../../src/authority/public-key.ts'
import { requestIntermediate } from '../../../src/authority/request.ts'
import { localSigner, type Signer } from '../../../src/authority/signature.ts'
import { HAS_OPENSSL, verifyStrictly } from '../../unit/authority/openssl.ts'
import { type EmulatedVault, emulatedVault, VAULT_URL } from '../key-vault/emulated-vault.ts'
import { ecMarks } from '../key-vault/leaks.ts'

const DAY_MS = 86_400_000
const NAME = { organization: 'Shop', commonName: 'Mesh root A' }

let vault: EmulatedVault
beforeAll(async () => {
  vault = await emulatedVault()
})

function unwrap(issued: Issued): string {
  if (!issued.ok) throw new Error(issued.message)
  return issued.value
}

it.each([true, false])(
  'a root whose key stays in the vault (in hardware: %s) signs a CA that istiod can take',
  async (hsm) => {
    const keys = vault.vaults.keys(VAULT_URL)
    const key = await keys.createKey(`mesh-root-${hsm}`, { hsm, tags: {} })
    const signer: Signer = { algorithm: 'ES384', sign: (bytes) => keys.sign(key, bytes) }
    const now = vault.clock.now()
    const serial = crypto.getRandomValues(new Uint8Array(16))
    const rootTerms = { notBefore: now, notAfter: now + 3650 * DAY_MS, serial }
    const rootCert = unwrap(await issueRoot(NAME, spkiOf(key.jwk), rootTerms, signer))

    const low = await makeCaKey({ type: 'EC', curve: 'P-384' })
    const request = await requestIntermediate({ commonName: 'Mesh CA east' }, low.publicKey, localSigner(low.pem))
    const terms = { ...rootTerms, notAfter: now + 365 * DAY_MS }
    const caCert = unwrap(await issueIntermediate({ request }, rootCert, terms, signer))

    const bundle = { rootCert, caCert, certChain: caCert, caKey: low.pem }
    expect(checkBundle(bundle, { now })).toEqual([])
    if (HAS_OPENSSL) expect(verifyStrictly(caCert, { roots: rootCert, at: now })).toBe('OK')

    // Nor does the CA's own key go anywhere but where it is written.
    const marks = ecMarks(Buffer.from(low.pem.replace(/-----.*-----|\s/g, ''), 'base64'))
    const sent = vault.exchanges.map(({ request: { body } }) => new TextDecoder().decode(body))
    expect(sent.filter((text) => marks.some((mark) => text.includes(mark)))).toEqual([])
  },
)

it('a root is not made with a key whose vault signs with another', async () => {
  const keys = vault.vaults.keys(VAULT_URL)
  const [one, other] = [
    await keys.createKey('one', { hsm: true, tags: {} }),
    await keys.createKey('other', { hsm: true, tags: {} }),
  ]
  const signer: Signer = { algorithm: 'ES384', sign: (bytes) => keys.sign(other, bytes) }
  const now = vault.clock.now()
  const terms = { notBefore: now, notAfter: now + DAY_MS, serial: new Uint8Array(16) }
  expect(await issueRoot(NAME, spkiOf(one.jwk), terms, signer)).toMatchObject({ ok: false, reason: 'SignatureWrong' })
})
