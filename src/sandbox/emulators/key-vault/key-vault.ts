import type { Emulator, EmulatorContext, EmulatorRequest, EmulatorResponse } from '../emulator.ts'
import { authenticate, checkVersion } from './access.ts'
import type { VaultCall } from './call.ts'
import { type CertificateParts, certificateRoutes, deletedCertificateRoutes } from './certificate-routes.ts'
import { Certificates } from './certificates.ts'
import { errorResponse, VaultError } from './errors.ts'
import { Issuance } from './issue.ts'
import { deletedKeyRoutes, keyRoutes } from './key-routes.ts'
import { generateKey } from './keys.ts'
import { passTime } from './notices.ts'
import { DEFAULTS, type KeyVaultOptions, type Limits } from './options.ts'
import { pem } from './pem.ts'
import { Records } from './records.ts'
import { deletedSecretRoutes, secretRoutes } from './secret-routes.ts'
import { throttle } from './throttle.ts'

/** Azure Key Vault, as far as certificates, secrets and keys that sign go: any number of vaults, told apart by the host. */
export interface KeyVaultEmulator {
  readonly handle: Emulator
  /** Does what is due by now: operations end, AutoRenew begins, ends of certificates are told. Calls do the first too. */
  advance(): Promise<void>
  /** The root that certificates of the integrated issuers chain to, PEM. */
  rootCertificate(): Promise<string>
}

/**
 * Opens the vaults of the context's storage.
 * Protocol: learn.microsoft.com/rest/api/keyvault, versions 7.4 to 2026-04-01.
 */
export function keyVaultEmulator(context: EmulatorContext, options: KeyVaultOptions): KeyVaultEmulator {
  const records = new Records(context.storage)
  const issuance = new Issuance(context, options.makeKey)
  const certificates = new Certificates(context, options, records, issuance)
  const { makeKey = generateKey, isPremium = () => true } = options
  const parts: CertificateParts = { certificates, issuance, records, makeKey, isPremium }
  const slow = throttle({ ...DEFAULTS.limits, ...options.limits })
  const inTurn = oneAtATime()
  return {
    async handle(request) {
      try {
        await authenticate(request, options)
        const call = callOf(request, context.now())
        slow(call.host, countsAs(call, records), context.now())
        return await inTurn(() => route(parts, call))
      } catch (error) {
        if (error instanceof VaultError) return errorResponse(error)
        throw error
      }
    },
    advance: () => inTurn(() => passTime(context, parts)),
    rootCertificate: async () => pem('CERTIFICATE', (await issuance.authority()).root.der),
  }
}

interface RoomCall extends VaultCall {
  readonly room: string
}

function callOf(request: EmulatorRequest, nowMs: number): RoomCall {
  const { hostname, pathname, searchParams } = request.url
  checkVersion(searchParams)
  const [room = '', ...path] = pathname.split('/').filter((part) => part !== '')
  return { request, host: hostname, query: searchParams, room, path, now: Math.floor(nowMs / 1000) }
}

/** What a call counts as. Whether a new key is one in hardware, its body says. */
function countsAs({ request, host, room, path }: RoomCall, records: Records): keyof Limits {
  const { method, body } = request
  const [name = '', verb] = path
  if (method === 'PUT' && room === 'secrets') return 'secretCreations'
  const creates = method === 'POST' && (verb === 'create' || verb === 'import')
  if (creates && room === 'certificates') return 'creations'
  if (room !== 'keys') return 'others'
  if (creates) return /"kty"\s*:\s*"[A-Z]+-HSM"/.test(new TextDecoder().decode(body)) ? 'hsmCreations' : 'creations'
  return records.key(host, name)?.versions.at(-1)?.kty.endsWith('-HSM') ? 'hsm' : 'others'
}

async function route(parts: CertificateParts, call: RoomCall): Promise<EmulatorResponse> {
  if (call.room === 'certificates') return certificateRoutes(parts, call)
  if (call.room === 'deletedcertificates') return deletedCertificateRoutes(parts, call)
  if (call.room === 'secrets') return secretRoutes(parts, call)
  if (call.room === 'deletedsecrets') return deletedSecretRoutes(parts, call)
  if (call.room === 'keys') return keyRoutes(parts, call)
  if (call.room === 'deletedkeys') return deletedKeyRoutes(parts, call)
  throw new VaultError(404, 'NotFound', 'This emulator of Key Vault keeps certificates, secrets and keys only')
}

/** Runs what it is given one after the other: making a certificate takes turns of the event loop. */
function oneAtATime(): <T>(run: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return (run) => {
    const mine = last.then(run, run)
    last = mine.catch(() => undefined)
    return mine
  }
}
