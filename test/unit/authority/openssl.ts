import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Whether OpenSSL 3 is on the machine; tests by it are left out where it is not. */
export const HAS_OPENSSL = /^OpenSSL 3/.test(spawnSync('openssl', ['version'], { encoding: 'utf8' }).stdout ?? '')

/** What `openssl` says to the arguments, given files by name. Throws with its words where it fails. */
export function openssl(args: readonly string[], files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'meshwright-openssl-'))
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
    return execFileSync('openssl', args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** `openssl verify -x509_strict` of a certificate at a time (epoch ms); `OK`, or its words. */
export function verifyStrictly(
  cert: string,
  { roots, chain = '', at }: { roots: string; chain?: string; at: number },
): string {
  const time = String(Math.floor(at / 1000))
  const between = chain === '' ? [] : ['-untrusted', 'chain.pem']
  const args = ['verify', '-x509_strict', '-attime', time, '-CAfile', 'roots.pem', ...between, 'cert.pem']
  try {
    const said = openssl(args, { 'cert.pem': cert, 'roots.pem': roots, 'chain.pem': chain })
    return said.trim() === 'cert.pem: OK' ? 'OK' : said
  } catch (error) {
    return String((error as { stderr?: string }).stderr ?? error)
  }
}
