import type { Emulator, EmulatorResponse } from './emulators/emulator.ts'
import type { EntraEmulator } from './emulators/entra/entra.ts'
import { SANDBOX_VAULT } from './sandbox-vault.ts'

/** Puts a secret into the sandbox's vault, as an administrator would; once: one that is there stays as it is. */
export async function storeSecret(
  keyVault: Emulator,
  entra: Pick<EntraEmulator, 'issueServiceToken'>,
  name: string,
  value: string,
): Promise<void> {
  const authorization = `Bearer ${await entra.issueServiceToken('https://vault.azure.net')}`
  const call = (method: string, body = ''): Promise<EmulatorResponse> =>
    keyVault({
      method,
      url: new URL(`${SANDBOX_VAULT}/secrets/${name}?api-version=7.4`),
      headers: { authorization, 'content-type': 'application/json' },
      body: new TextEncoder().encode(body),
    })
  if ((await call('GET')).status === 200) return
  const { status } = await call('PUT', JSON.stringify({ value }))
  if (status !== 200) throw new Error(`the emulated Key Vault answered ${status} to a new secret`)
}
