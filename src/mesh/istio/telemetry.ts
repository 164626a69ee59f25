import type { KubeObject } from '../../model/kube.ts'
import type { TelemetrySpec } from '../../model/policy/telemetry.ts'
import type { RenderInput } from '../provider.ts'
import { TELEMETRY } from './names.ts'
import { partObject, selectorOf } from './workload-object.ts'

/** What the proxies of a service tell. */
export function telemetry(input: RenderInput): KubeObject | undefined {
  const { accessLog, tracing } = input.policy.telemetry ?? {}
  if (accessLog === undefined && tracing === undefined) return undefined
  return partObject(input, TELEMETRY, undefined, {
    ...selectorOf(input),
    ...(accessLog === undefined ? {} : { accessLogging: [accessLogging(accessLog)] }),
    ...(tracing === undefined ? {} : { tracing: [{ randomSamplingPercentage: tracing.samplePercent }] }),
  })
}

/** `envoy` is the provider that Istio always has: the proxy's standard output. */
function accessLogging(accessLog: NonNullable<TelemetrySpec['accessLog']>): Readonly<Record<string, unknown>> {
  const providers = [{ name: 'envoy' }]
  if (accessLog === 'off') return { providers, disabled: true }
  return { providers, ...(accessLog === 'errors' ? { filter: { expression: 'response.code >= 400' } } : {}) }
}
