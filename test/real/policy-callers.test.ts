import { afterAll, beforeAll, it } from 'vitest'
import { describeReal } from './parts/describe-real.ts'
import { type PolicyShop, startPolicyShop } from './parts/policy-shop.ts'
import { scratchFolder } from './parts/scratch.ts'
import type { Answer } from './parts/traffic.ts'
import { type Kind, underPolicies } from './parts/under-policies.ts'

/** Who may call, by real certificates: each policy goes in through Meshwright, and is taken off again, while all of them call. */
describeReal('who may call a service', 'mesh', (parts) => {
  const dir = scratchFolder()
  let shop: PolicyShop

  beforeAll(async () => {
    const clients = [
      { name: 'cart' },
      { name: 'reader', namespace: 'partner' },
      { name: 'writer', namespace: 'partner' },
    ]
    shop = await startPolicyShop({ parts, dir, mesh: { clients, mtls: 'PERMISSIVE' } })
  })
  afterAll(() => shop?.stop())

  const calls = (name: string, path: string, gets: readonly unknown[], method = 'GET'): Kind => ({
    client: shop.mesh.client(name),
    target: { method, path },
    gets,
  })
  const plain = (gets: readonly unknown[], version = 'v1'): Kind => ({ client: shop.mesh.plainClient(version), gets })

  it('is asked for a certificate by strict mutual TLS: plain text comes no further, all others do', async () => {
    const stands = ['strict', 'permissive'].map((mtls) => ({ policy: { security: { mtls } } }))
    await underPolicies(shop, 'strict mutual TLS', stands, {
      'plain to v1': plain([200, 0, 200]),
      'plain to v2': plain([200, 0, 200], 'v2'),
      client: calls('client', '/', [200, 200, 200]),
      reader: calls('reader', '/', [200, 200, 200]),
    })
  })

  it('comes in plain text where mutual TLS is disabled, and nobody is shut out on the way', async () => {
    const tell = ({ status, caller }: Answer) => `${status} ${caller ? 'known' : 'unknown'}`
    await underPolicies(shop, 'no mutual TLS', [{ policy: { security: { mtls: 'disabled' } } }], {
      plain: { ...plain(['200 unknown', '200 unknown']), tell },
      client: { ...calls('client', '/', ['200 known', '200 unknown']), tell },
      reader: { ...calls('reader', '/', ['200 known', '200 unknown']), tell },
    })
  })

  it('is known by service account and namespace, and let in to what each may do', async () => {
    const allow = [
      { name: 'cart', serviceAccounts: ['shop/cart'], methods: ['GET'], paths: ['/items/*'] },
      { name: 'partners', namespaces: ['partner'], paths: ['/open', '/open/*'], ports: ['http'] },
    ]
    const deny = [
      { name: 'writer', serviceAccounts: ['partner/writer'], methods: ['DELETE'] },
      { name: 'hidden', paths: ['/open/hidden*'] },
    ]
    const stands = [
      { policy: { security: { authorization: { allow, deny } } } },
      {
        policy: {
          security: { authorization: { allow: [allow[1], { name: 'cart', serviceAccounts: ['shop/cart'] }] } },
        },
      },
      { policy: { security: { authorization: { deny } } } },
    ]
    await underPolicies(shop, 'authorization by caller', stands, {
      'cart gets an item': calls('cart', '/items/7?page=2', [200, 200, 200, 200]),
      'cart puts an item': calls('cart', '/items/7', [200, 403, 200, 200], 'PUT'),
      'cart gets no other path': calls('cart', '/items', [200, 403, 200, 200]),
      'client is not the cart': calls('client', '/items/7', [200, 403, 403, 200]),
      'reader gets what is open': calls('reader', '/open/list', [200, 200, 200, 200]),
      'reader gets nothing else': calls('reader', '/opened', [200, 403, 403, 200]),
      'reader gets nothing hidden': calls('reader', '/open/hidden', [200, 403, 200, 403]),
      // Proxies do not merge slashes: why allow is to be preferred to deny.
      'reader doubles a slash': calls('reader', '//open/hidden', [200, 403, 403, 200]),
      'writer puts what is open': calls('writer', '/open', [200, 200, 200, 200], 'PUT'),
      'writer deletes nothing': calls('writer', '/open', [200, 403, 200, 403], 'DELETE'),
      'plain text is nobody': plain([200, 403, 403, 200]),
    })
  })

  it('is nobody where the list of who may is empty', async () => {
    await underPolicies(shop, 'nobody', [{ policy: { security: { authorization: { allow: [] } } } }], {
      client: calls('client', '/', [200, 403]),
      reader: calls('reader', '/', [200, 403]),
      plain: plain([200, 403], 'v2'),
    })
  })
})
