import { fail, type Result, succeed } from '../model/failure.ts'
import type { RolloutRequest } from '../model/rollout.ts'
import type { StepSpec } from '../model/step.ts'
import type { StrategySpec } from '../model/strategy.ts'
import type { AddressPolicy } from '../ports/address-policy.ts'

/**
 * May Meshwright call the webhooks of a rollout's steps? One whose host is not allowed would hold the rollout up and never
 * pass. Steps that the request does not give itself are the strategy's.
 */
export async function checkWebhookSteps(
  addresses: AddressPolicy,
  { steps, waves = [] }: Pick<StrategySpec, 'steps' | 'waves'>,
  request: Pick<RolloutRequest, 'steps' | 'waves'>,
): Promise<Result<undefined>> {
  const places: readonly (readonly [pointer: string, steps: readonly StepSpec[]])[] = [
    [request.steps ? '/steps' : '', steps],
    ...waves.map((wave, index) => [request.waves ? `/waves/${index}/steps` : '', wave.steps ?? []] as const),
  ]
  for (const [pointer, listed] of places) {
    for (const [index, { webhook }] of listed.entries()) {
      const reason = webhook && (await addresses.refusal(webhook.url))
      if (webhook && reason !== undefined) {
        return refused(webhook.url, reason, pointer === '' ? '/strategy' : `${pointer}/${index}/webhook/url`)
      }
    }
  }
  return succeed(undefined)
}

function refused(url: string, reason: string, pointer: string): Result<never> {
  const { host } = new URL(url)
  return fail('InvalidCombination', `The webhook at ${host} may not be called: ${reason}.`, {
    errors: [{ pointer, reason }],
    hint: `Add ${host} to the setting MESHWRIGHT_OUTSIDE_HOSTS, or leave the step out.`,
  })
}
