import type { Storage } from '../../../../../src/sandbox/emulators/emulator.ts'
import type { User } from '../../../../../src/sandbox/emulators/kubernetes/access.ts'
import { istioDefinitions } from '../../../../../src/sandbox/emulators/kubernetes/istio-definitions.ts'
import type { KubernetesEmulator } from '../../../../../src/sandbox/emulators/kubernetes/kubernetes-emulator.ts'
import { kubernetesEmulator } from '../../../../../src/sandbox/emulators/kubernetes/kubernetes-emulator.ts'
import { memoryStorage } from '../../../../../src/sandbox/storage.ts'
import type { Answer, Connection } from '../../../../contract/kubernetes/client.ts'
import { applyType, send, sendJson } from '../../../../contract/kubernetes/client.ts'
import { toEmulator } from '../../../../contract/kubernetes/connections.ts'
import { drawFrom } from '../../../../contract/kubernetes/differential.ts'

/** An emulated cluster with Istio's definitions and the namespace `shop`, under a clock that stands still. */
export interface Fixture {
  readonly emulator: KubernetesEmulator
  readonly connection: Connection
  /** Moves the clock on. */
  readonly pass: (ms: number) => void
  readonly get: (path: string, token?: string) => Promise<Answer>
  readonly apply: (path: string, object: object, manager?: string) => Promise<Answer>
}

export const routes = '/apis/networking.istio.io/v1/namespaces/shop/virtualservices'

export function fixture(users: Record<string, User> = {}, storage: Storage = memoryStorage()): Fixture {
  let now = 1_700_000_000_000
  const draw = drawFrom(7)
  const tokens = { secret: { user: 'admin', groups: ['system:masters'] }, ...users }
  const context = { now: () => now, random: () => draw(2 ** 31) / 2 ** 31, storage }
  const emulator = kubernetesEmulator(context, { tokens })
  emulator.seed([...istioDefinitions(), { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } }])
  const connection = toEmulator(emulator, 'secret', 'shop')
  return {
    emulator,
    connection,
    pass(ms) {
      now += ms
    },
    get: (path, token) => send(connection, path, token ? { headers: { authorization: `Bearer ${token}` } } : {}),
    apply: (path, object, manager = 'red') =>
      sendJson(connection, 'PATCH', `${path}?fieldManager=${manager}`, object, applyType),
  }
}

/** A VirtualService in `shop`. */
export function routeObject(name: string, hosts: readonly string[] = ['web']) {
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name, namespace: 'shop' },
    spec: { hosts: [...hosts] },
  }
}
