import { gatewayApi } from '../../../../src/mesh/gateway-api/gateway-api.ts'
import type { RenderInput, RenderStep } from '../../../../src/mesh/provider.ts'
import type { KubeObject } from '../../../../src/model/kube.ts'
import { inputOf, specOf } from '../istio/specs.ts'

export const GATEWAYS = {
  external: { namespace: 'gateways', name: 'public' },
  internal: { namespace: 'gateways', name: 'private', listener: 'http' },
}

/** A service that is exposed at /, with what the test is about. */
export function exposed(spec: Readonly<Record<string, unknown>> = {}, change: Partial<RenderInput> = {}): RenderInput {
  const whole = specOf({ workload: { labels: { app: 'web' } }, exposure: [{ host: 'web.example.com' }], ...spec })
  const mesh = { provider: 'gateway-api', gatewayApi: { bundle: 'v1.5.1', channel: 'standard' } } as const
  return inputOf({ spec: whole, policy: whole, mesh, gateways: GATEWAYS, ...change })
}

export function stepsOf(input: RenderInput): readonly RenderStep[] {
  const result = gatewayApi.render(input)
  if (!result.ok) throw new Error(JSON.stringify(result.failure))
  return result.steps
}

export function routesOf(input: RenderInput): readonly KubeObject[] {
  return stepsOf(input)
    .map(({ object }) => object)
    .filter(({ kind }) => kind !== 'Service')
}

/** Fields that stand in the way, with reasons. */
export function refusedFields(input: RenderInput): readonly string[] {
  const result = gatewayApi.render(input)
  return result.ok ? [] : (result.failure.errors ?? []).map(({ pointer }) => pointer)
}

/** The rules of the only route. */
export function rules(input: RenderInput): readonly Record<string, unknown>[] {
  return routesOf(input)[0]?.spec?.rules as Record<string, unknown>[]
}
