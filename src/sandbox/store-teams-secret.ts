import { SANDBOX_TEAMS_SECRET, SANDBOX_TEAMS_WEBHOOK } from './chat-world.ts'
import type { Emulator, EmulatorResponse } from './emulators/emulator.ts'
import type { EntraEmulator } from './emulators/entra/entra.ts'
import { SANDBOX_VAULT } from './sandbox-vault.ts'

/** Puts the address of the emulated Teams workflow into the sandbox's vault, as an administrator would; once. */
export async function storeTeamsSecret(
  keyVault: Emulator,
  entra: Pick<EntraEmulator, 'issueServiceToken'>,
): Promise<void> {
  const authorization = `Bearer ${await entra.issueServiceToken('https://vault.azure.net')}`
  const call = (method: string, body = ''): Promise<EmulatorResponse> =>
    keyVault({
      method,
      url: new URL(`${SANDBOX_VAULT}/secrets/${SANDBOX_TEAMS_SECRET}?api-version=7.4`),
      headers: { authorization, 'content-type': 'application/json' },
      body: new TextEncoder().encode(body),
    })
  if ((await call('GET')).status === 200) return
  const { status } = await call('PUT', JSON.stringify({ value: SANDBOX_TEAMS_WEBHOOK }))
  if (status !== 200) throw new Error(`the emulated Key Vault answered ${status} to a new secret`)
}
