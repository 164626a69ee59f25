import { generateKey, privateKeyOf } from '../../../src/sandbox/emulators/key-vault/keys.ts'
import { pem } from '../../../src/sandbox/emulators/key-vault/pem.ts'
import { type Authority, authority } from '../../../src/sandbox/emulators/key-vault/x509.ts'

/** A root of a mesh, and what signs below it. */
export interface TestRoot {
  readonly name: string
  readonly pem: string
  readonly own: Authority
}

/** The four texts that istiod reads. */
export interface TestCaSet {
  readonly rootCert: string
  readonly caCert: string
  readonly certChain: string
  readonly caKey: string
}

const P256 = { kty: 'EC', curve: 'P-256' } as const
const YEAR_MS = 31_536_000_000
let serials = 0

/** A new root, valid for ten years from `now` (epoch milliseconds). */
export async function testRoot(name: string, now: number): Promise<TestRoot> {
  const own = await authority(await generateKey(P256), `CN=root-${name}, O=mesh`, validity(now, 10 * YEAR_MS))
  return { name, pem: pem('CERTIFICATE', own.der), own }
}

/** An intermediate below a root, with the PEM of the roots that are to be trusted: those of `trusted`, in their order. */
export async function testCaSet(
  root: TestRoot,
  now: number,
  options: { readonly trusted?: readonly TestRoot[]; readonly lifetimeMs?: number } = {},
): Promise<TestCaSet> {
  const key = await generateKey(P256)
  const { trusted = [root], lifetimeMs = YEAR_MS } = options
  const ca = await authority(key, `CN=intermediate-${root.name}, O=mesh`, validity(now, lifetimeMs), root.own)
  const caCert = pem('CERTIFICATE', ca.der)
  return {
    rootCert: trusted.map(({ pem }) => pem).join(''),
    caCert,
    certChain: caCert + root.pem,
    caKey: String(privateKeyOf(key).export({ format: 'pem', type: 'pkcs8' })),
  }
}

function validity(now: number, lifetimeMs: number) {
  serials += 1
  return { notBefore: now, notAfter: now + lifetimeMs, serial: serials.toString(16).padStart(8, '1') }
}
