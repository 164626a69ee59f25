import * as z from 'zod'
import { BUILT_PROVIDERS, CAPABILITIES } from '../../mesh/capabilities.ts'
import { FEATURES } from '../../mesh/features.ts'
import { READY_GATES, type ReadyGate, readyQueries } from '../../mesh/ready-gates.ts'
import { PROVIDERS } from '../../model/cluster.ts'
import { succeed } from '../../model/failure.ts'
import { type Route, route } from '../route.ts'

const capabilityView = z.object({
  feature: z.enum(FEATURES).describe('The field of a service or rollout that asks for it'),
  support: z.enum(['supported', 'conditional', 'refused']),
  condition: z.string().optional(),
  requires: z
    .object({ gatewayApi: z.string(), mesh: z.string() })
    .partial()
    .optional()
    .describe('The lowest bundle of the Gateway API, or version of the mesh, that has it'),
  code: z.string().optional().describe('Code of the refusal'),
  reason: z.string().optional(),
  nearest: z.string().optional().describe('What comes closest and can be had'),
})

const readyGateView = z.object({
  name: z.string().describe('What a gate of kind counts names as use'),
  kind: z.enum(['errors', 'latency']),
  about: z.string().describe('What it counts, and what it takes for granted'),
  all: z.string().describe('The query that counts all; latency gates: here with overMs 500'),
  good: z.string().optional(),
  bad: z.string().optional(),
  edgesMs: z.array(z.number()).optional().describe('What overMs may be, where it is known'),
})

const providerView = z
  .object({
    provider: z.enum(PROVIDERS),
    built: z.boolean(),
    features: z.array(capabilityView),
    gates: z.array(readyGateView).describe('Ready-made gates, to be used by name or copied'),
  })
  .meta({ id: 'ProviderCapabilities' })

function viewReady(name: string, ready: ReadyGate): z.infer<typeof readyGateView> {
  const { kind, about } = ready
  const edges = ready.kind === 'latency' ? ready.histogram.edgesMs : undefined
  const { all = '', good, bad } = readyQueries(ready)
  return {
    name,
    kind,
    about,
    all,
    ...(good === undefined ? {} : { good }),
    ...(bad === undefined ? {} : { bad }),
    ...(edges === undefined ? {} : { edgesMs: [...edges] }),
  }
}

const query = z.strictObject({ provider: z.enum(PROVIDERS).optional() })

export const CAPABILITY_ROUTES: readonly Route[] = [
  route({
    method: 'GET',
    path: '/capabilities',
    operationId: 'listCapabilities',
    tag: 'Capabilities',
    summary: 'List what each mesh can do here',
    access: 'any',
    query,
    answers: { 200: { description: 'By provider and feature', schema: z.object({ value: z.array(providerView) }) } },
    async handle({ query: { provider } }) {
      const asked = PROVIDERS.filter((name) => provider === undefined || name === provider)
      const value = asked.map((name) => ({
        provider: name,
        built: BUILT_PROVIDERS.includes(name),
        features: FEATURES.map((feature) => ({ feature, ...CAPABILITIES[name][feature] })),
        gates: Object.entries(READY_GATES).flatMap(([gate, ready]) =>
          ready.provider === name ? [viewReady(gate, ready)] : [],
        ),
      }))
      return succeed({ status: 200, json: { value } })
    },
  }),
]
