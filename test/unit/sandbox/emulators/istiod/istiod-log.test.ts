import { expect, it } from 'vitest'
import { istiodEmulator } from '../../../../../src/sandbox/emulators/istiod/istiod.ts'
import { kubernetesEmulator } from '../../../../../src/sandbox/emulators/kubernetes/kubernetes-emulator.ts'
import { memoryStorage } from '../../../../../src/sandbox/storage.ts'
import { testCaSet, testRoot } from '../../../fakes/mesh-authority.ts'

const NOW = Date.parse('2026-05-01T10:00:00.000Z')
const POD = '/api/v1/namespaces/aks-istio-system/pods/istiod-asm-1-30-5c8f7d9b4-x2v7q/log'

async function startWorld() {
  let now = NOW
  const context = { now: () => now, random: Math.random, storage: memoryStorage() }
  const reader = { user: 'reader', groups: [], rules: [] }
  const tokens = { a: { user: 'admin', groups: [] }, r: reader }
  const kubernetes = kubernetesEmulator(context, { tokens })
  const istiod = istiodEmulator(context, { kubernetes, name: 'east' })
  const [a, b] = [await testRoot('a', NOW), await testRoot('b', NOW)]
  istiod.advance(await testCaSet(a, NOW), 60_000)
  now += 5000
  istiod.advance(await testCaSet(b, NOW), 60_000)
  return async (query = '', token = 'a', path = POD) => {
    const url = new URL(`https://east.test${path}${query}`)
    const headers = { authorization: `Bearer ${token}` }
    const { status, body } = await kubernetes.handle({ method: 'GET', url, headers, body: new Uint8Array() })
    return [status, String(body)] as const
  }
}

it('is the log of its Pod, as a kubelet gives it', async () => {
  const read = await startWorld()
  const lines = ['Use local CA certificate', 'Update Istiod cacerts', 'Updating new ROOT-CA not supported', '']
  expect(await read()).toEqual([200, lines.join('\n')])
  expect(await read('?tailLines=1&timestamps=true')).toEqual([
    200,
    '2026-05-01T10:00:05.000Z Updating new ROOT-CA not supported\n',
  ])
  // In whole seconds.
  expect(await read('?sinceTime=2026-05-01T10:00:05.900Z')).toEqual([200, lines.slice(1).join('\n')])
  expect(await read('?container=discovery&limitBytes=9')).toEqual([200, 'Use local'])
})

it('is refused where it cannot be had', async () => {
  const read = await startWorld()
  expect((await read('?container=other'))[0]).toBe(400)
  expect((await read('?sinceTime=yesterday'))[0]).toBe(400)
  expect((await read('?tailLines=-1'))[0]).toBe(400)
  expect((await read('', 'a', POD.replace('istiod-asm', 'nobody')))[0]).toBe(404)
  const [status, body] = await read('', 'r')
  expect([status, body]).toEqual([403, expect.stringContaining('cannot get resource \\"pods/log\\"')])
})
