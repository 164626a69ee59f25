import * as z from 'zod'
import { BUILT_PROVIDERS, CAPABILITIES, FEATURES } from '../../mesh/capabilities.ts'
import { PROVIDERS } from '../../model/cluster.ts'
import { succeed } from '../../model/failure.ts'
import { type Route, route } from '../route.ts'

const capabilityView = z.object({
  feature: z.enum(FEATURES).describe('The field of a service or rollout that asks for it'),
  support: z.enum(['supported', 'conditional', 'refused']),
  condition: z.string().optional(),
  code: z.string().optional().describe('Code of the refusal'),
  reason: z.string().optional(),
  nearest: z.string().optional().describe('What comes closest and can be had'),
})

const providerView = z
  .object({ provider: z.enum(PROVIDERS), built: z.boolean(), features: z.array(capabilityView) })
  .meta({ id: 'ProviderCapabilities' })

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
      }))
      return succeed({ status: 200, json: { value } })
    },
  }),
]
