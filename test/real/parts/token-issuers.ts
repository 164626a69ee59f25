import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { join } from 'node:path'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import type { Parts } from './parts.ts'

/** Issuers of tokens outside the mesh. Their names lead to this machine (namespace.sh), and whatever path is asked for tells the keys of all. */
export interface TokenIssuers {
  /** PEM file with the certificate by which istiod knows them. */
  readonly certificate: string
  /** Keys as a JWKS, for who would not fetch them. */
  readonly jwks: string
  /** A token, good for an hour unless `exp` says else. `iss` and `aud` are the caller's affair. */
  token(claims: JWTPayload): Promise<string>
  /** A token with the same words, signed by another key of the same name. */
  forged(claims: JWTPayload): Promise<string>
  /** Paths that were asked for so far, each with its host. */
  readonly asked: ReadonlySet<string>
  stop(): Promise<void>
}

/** As in namespace.sh. */
const ADDRESS = '127.0.0.9'
const HOSTS = ['id.example.com', 'login.microsoftonline.com']
const KEY = { alg: 'RS256', kid: 'one' } as const

/** Starts them on port 443. To be run in the namespace of run.ts. */
export async function startTokenIssuers({ parts, dir }: { parts: Parts; dir: string }): Promise<TokenIssuers> {
  mkdirSync(dir, { recursive: true })
  const [certificate, keyFile] = [join(dir, 'issuers.pem'), join(dir, 'issuers-key.pem')]
  const names = HOSTS.map((host) => `DNS:${host}`).join(',')
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=issuers']
  const more = ['-keyout', keyFile, '-out', certificate, '-addext', `subjectAltName=${names}`]
  execFileSync(parts.openssl, [...request, ...more], { stdio: 'ignore' })
  const [own, other] = [await generateKeyPair(KEY.alg), await generateKeyPair(KEY.alg)]
  const jwks = JSON.stringify({ keys: [{ ...(await exportJWK(own.publicKey)), ...KEY, use: 'sig' }] })
  const asked = new Set<string>()
  const tls = { key: readFileSync(keyFile), cert: readFileSync(certificate) }
  const server = createServer(tls, ({ url, headers }, response) => {
    asked.add(`${headers.host}${url}`)
    response.writeHead(200, { 'content-type': 'application/json' }).end(jwks)
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(443, ADDRESS, resolve))
  const sign = (claims: JWTPayload, key: typeof own.privateKey) =>
    new SignJWT({ exp: Math.floor(Date.now() / 1000) + 3600, ...claims }).setProtectedHeader(KEY).sign(key)
  return {
    certificate,
    jwks,
    asked,
    token: (claims) => sign(claims, own.privateKey),
    forged: (claims) => sign(claims, other.privateKey),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
