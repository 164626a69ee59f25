import type { CertificateClient } from '@azure/keyvault-certificates'
import * as z from 'zod'
import { PortError } from '../../ports/port-error.ts'
import type { VaultOperation } from '../../ports/vault.ts'

const STATES = {
  inProgress: 'in-progress',
  completed: 'completed',
  cancelled: 'cancelled',
  canceled: 'cancelled',
  failed: 'failed',
} as const

const operationBody = z.object({
  // Samples of the documentation write it in more than one case.
  status: z.string().transform((status) => `${status.charAt(0).toLowerCase()}${status.slice(1)}`),
  csr: z.base64(),
  error: z.object({ message: z.string().nullish() }).nullish(),
})

/**
 * The operation that a certificate has. Read from the answer itself: the SDK's poller throws it away where the operation
 * has failed. Throws what the SDK throws when there is none.
 */
export async function readOperation(
  client: CertificateClient,
  system: string,
  name: string,
  late: AbortSignal,
): Promise<VaultOperation> {
  let seen: string | null | undefined
  // Of an operation that has ended, the SDK would get the certificate once more.
  const told = new AbortController()
  const onResponse = ({ request, status, bodyAsText }: Answer): void => {
    if (status !== 200 || !new URL(request.url).pathname.endsWith('/pending')) return
    seen = bodyAsText
    told.abort()
  }
  try {
    const abortSignal = AbortSignal.any([late, told.signal])
    await client.getCertificateOperation(name, { abortSignal, onResponse })
  } catch (error) {
    if (seen === undefined) throw error
  }
  return operationOf(system, seen ?? '')
}

interface Answer {
  readonly request: { readonly url: string }
  readonly status: number
  readonly bodyAsText?: string | null
}

function operationOf(system: string, body: string): VaultOperation {
  const parsed = operationBody.safeParse(json(body))
  const { status = '', csr = '', error } = parsed.data ?? {}
  const state = Object.entries(STATES).find(([name]) => name === status)?.[1]
  if (state === undefined)
    throw new PortError('unavailable', system, `${system} gave an operation of another form`, { reason: 'Operation' })
  const words = error?.message ?? undefined
  return { state, csr: pem(csr), ...(words === undefined ? {} : { error: words }) }
}

function pem(base64: string): string {
  const lines = base64.match(/.{1,64}/g) ?? []
  return ['-----BEGIN CERTIFICATE REQUEST-----', ...lines, '-----END CERTIFICATE REQUEST-----', ''].join('\n')
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
