import type { Product } from './product.ts'

/** The emulated Key Vault of a running Meshwright, as another program sees it: the CSI driver, or a person. */
export interface RealVault {
  /** The newest version of a secret; undefined when there is none. */
  read(name: string): Promise<string | undefined>
  write(name: string, value: string): Promise<void>
}

const VAULT = 'sandbox.vault.azure.net'
/** That of the sandbox's managed identity (src/sandbox/identities.ts). */
const HEADER = { 'x-identity-header': 'meshwright-sandbox-identity' }
const CLIENT = '00000000-dddd-4000-8000-000000000001'

/** It answers while Meshwright runs. Calls reject when nobody answers. */
export function realVault(product: Pick<Product, 'servicesUrl'>): RealVault {
  let token: Promise<string> | undefined
  const call = async (method: string, name: string, body?: object) => {
    token ??= fetchToken(product.servicesUrl())
    const authorization = `Bearer ${await token.catch((error: unknown) => {
      token = undefined
      throw error
    })}`
    return fetch(`${product.servicesUrl()}/azure/${VAULT}/secrets/${name}?api-version=7.4`, {
      method,
      headers: { authorization, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(5000),
    })
  }
  return {
    async read(name) {
      const answer = await call('GET', name)
      if (answer.status === 404) return undefined
      if (!answer.ok) throw new Error(`the vault answers ${answer.status}`)
      return ((await answer.json()) as { value: string }).value
    },
    async write(name, value) {
      const answer = await call('PUT', name, { value })
      if (!answer.ok) throw new Error(`the vault answers ${answer.status} to ${name}`)
    },
  }
}

async function fetchToken(servicesUrl: string): Promise<string> {
  const query = new URLSearchParams({
    resource: 'https://vault.azure.net',
    'api-version': '2019-08-01',
    client_id: CLIENT,
  })
  const answer = await fetch(`${servicesUrl}/msi/token?${query}`, { headers: HEADER })
  if (!answer.ok) throw new Error(`no token: ${answer.status} ${await answer.text()}`)
  return ((await answer.json()) as { access_token: string }).access_token
}
