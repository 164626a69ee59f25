import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Product, startProduct } from './product.ts'
import { until } from './until.ts'

let product: Product
beforeAll(async () => {
  product = await startProduct()
})
afterAll(() => product.close())

interface Ca {
  readonly phase: string
  readonly serial: string | null
  readonly current?: { readonly roots: readonly { readonly fingerprint: string }[] }
  readonly rotation?: { readonly phase: string; readonly direction: string; readonly message: string }
}

interface Trust {
  readonly bundles: readonly { readonly roots: readonly { readonly fingerprint: string }[] }[]
}

const PATH = '/certificates/east-ca'
const ca = async (wanted: (ca: Ca) => boolean) => until(async () => (await product.call<Ca>('GET', PATH)).body, wanted)

test('a first CA is made and comes to every namespace; a rotation is taken up by the cluster, and taken back', {
  timeout: 120_000,
}, async () => {
  await product.world('PATCH', '/azure/east', {
    properties: {
      addonProfiles: {
        azureKeyvaultSecretsProvider: {
          enabled: true,
          config: { enableSecretRotation: 'true', rotationPollInterval: '1s' },
        },
      },
    },
  })
  const body = { purpose: 'mesh-ca', cluster: 'east', root: { kind: 'vault-key' } }
  const made = await product.call<Ca>('PUT', `${PATH}?wait=60s`, { body })
  expect(made).toMatchObject({ status: 201, body: { phase: 'succeeded' } })
  const [root] = made.body.current?.roots ?? []
  await until(
    async () => (await product.call<Trust>('GET', '/clusters/east/trust')).body,
    ({ bundles }) => bundles[0]?.roots[0]?.fingerprint === root?.fingerprint,
  )
  const rotated = await product.call<Ca>('POST', `${PATH}/rotate`, { body: { what: 'intermediate' } })
  expect(rotated.status).toBe(202)
  const renewing = await ca(({ phase }) => phase === 'renewing')
  expect(renewing.serial).not.toBe(made.body.serial)
  const back = await product.call<Ca>('POST', `${PATH}/abort?wait=60s`)
  expect(back).toMatchObject({ status: 200, body: { phase: 'aborted', serial: made.body.serial } })
})
