import { beforeAll, expect, it } from 'vitest'
import { signerOfLeaf } from '../../../../src/mesh/trust/signer-of-leaf.ts'
import { type TestSigner, testSigner } from '../../fakes/test-leaf.ts'

const WEB = 'spiffe://cluster.local/ns/shop/sa/web'

let signers: readonly [TestSigner, TestSigner, TestSigner]
beforeAll(async () => {
  // The second has the name of the first.
  signers = [
    await testSigner('intermediate', '0a'),
    await testSigner('intermediate', '0b'),
    await testSigner('other', '0c'),
  ]
})

function known() {
  return [
    { serial: 'a', caCert: signers[0].caCert },
    { serial: 'b', caCert: signers[1].caCert },
  ]
}

it('is told by its signature, not by its names', async () => {
  expect(signerOfLeaf((await signers[0].leaf(WEB)).cert, 'shop', known())).toBe('a')
  expect(signerOfLeaf((await signers[1].leaf(WEB)).cert, 'shop', known())).toBe('b')
  expect(signerOfLeaf((await signers[2].leaf(WEB)).cert, 'shop', known())).toBe('other')
  expect(signerOfLeaf((await signers[0].leaf(WEB)).cert, 'shop', [{ serial: 'a', caCert: 'none' }])).toBe('other')
})

it.each([
  ['of another namespace', ['spiffe://cluster.local/ns/pay/sa/web']],
  ['without a name of a workload', []],
  ['of a server in the Pod', ['https://cluster.local/ns/shop/sa/web']],
  ['with a name that only looks like one', ['spiffe://cluster.local/x/ns/shop/sa/web']],
])('is none of a leaf %s', async (_, uris) => {
  expect(signerOfLeaf((await signers[0].leaf(...uris)).cert, 'shop', known())).toBeUndefined()
})

it('is none of what is no certificate', () => {
  expect(signerOfLeaf('nonsense', 'shop', known())).toBeUndefined()
})
