import { digest } from '../../model/digest.ts'
import type { Caller } from '../../model/identity.ts'
import { isTerminal, type Rollout, serviceOfRollout } from '../../model/rollout.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Store } from '../../ports/store.ts'
import { findService } from '../find-target.ts'
import { parseCommand } from '../parse-command.ts'
import { type AskedCommand, queueCommand } from '../receive-command.ts'
import type { Alert } from './alert.ts'

/** What follows from an alert: `will` says it of one rollout. */
export interface AlertOutcome {
  readonly rule: string
  readonly rollouts: readonly { readonly rollout: string; readonly will: 'pause' | 'abort' }[]
  /** Why nothing follows; absent when something does. */
  readonly message?: string
}

/**
 * Turns alerts that fire into commands on the live rollouts that they name, one a rollout, once for each firing however
 * often it is told: who resumes a rollout is not held again by the same alert. The commands are queued. Throws PortError:
 * the monitor tells it again.
 */
export async function receiveAlerts(
  deps: { readonly store: Store; readonly clock: Clock },
  source: string,
  alerts: readonly Alert[],
): Promise<readonly AlertOutcome[]> {
  const outcomes: AlertOutcome[] = []
  for (const alert of alerts) outcomes.push(await receiveAlert(deps, source, alert))
  return outcomes
}

async function receiveAlert(
  deps: { readonly store: Store; readonly clock: Clock },
  source: string,
  alert: Alert,
): Promise<AlertOutcome> {
  const { rule, cluster } = alert
  const live = await liveRollouts(deps.store, alert)
  if (typeof live === 'string') return { rule, rollouts: [], message: live }
  const meant = cluster === undefined ? live : await onCluster(deps.store, live, cluster)
  if (meant.length === 0) {
    const where = cluster === undefined ? '' : ` on cluster ${cluster}`
    return { rule, rollouts: [], message: `Nothing matched: no rollout is live${where}.` }
  }
  const will = alert.action === 'abort' ? 'abort' : 'pause'
  for (const { id } of meant) await queueCommand(deps, commandOf(source, alert, will, id))
  return { rule, rollouts: meant.map(({ id }) => ({ rollout: id, will })) }
}

/** Those on the cluster that a monitor calls so: by our name, or by the one that its metrics have in managed Prometheus. */
async function onCluster(store: Store, rollouts: readonly Rollout[], called: string): Promise<readonly Rollout[]> {
  const names = [...new Set(rollouts.flatMap(({ targets }) => targets.map(({ cluster }) => cluster)))]
  const known = await Promise.all(
    names.map(async (name) => {
      const { metrics, resourceId } = (await store.read('cluster', name))?.value.spec ?? {}
      const label = metrics?.azureMonitor?.clusterLabel ?? resourceId?.split('/').at(-1)
      return [name, label].some((one) => one?.toLowerCase() === called.toLowerCase()) ? [name] : []
    }),
  )
  const meant = new Set(known.flat())
  return rollouts.filter(({ targets }) => targets.some(({ cluster }) => meant.has(cluster)))
}

/** The live rollouts that an alert is about, or why there are none. */
async function liveRollouts(store: Store, alert: Alert): Promise<readonly Rollout[] | string> {
  const parsed = parseCommand(`status ${alert.rollout ?? alert.service ?? ''}`)
  if (!parsed.ok || parsed.command.verb === 'help') return 'Nothing matched: it names no service and no rollout.'
  const { target } = parsed.command
  const found =
    target.kind === 'rollout'
      ? { ok: true as const, value: serviceOfRollout(target.id) ?? '' }
      : await findService(store, target, undefined)
  if (!found.ok) return `Nothing matched: ${found.failure.detail}`
  const rollouts = (await store.read('service', found.value))?.value.rollouts ?? []
  const live = rollouts.filter(({ phase }) => !isTerminal(phase))
  return target.kind === 'rollout' ? live.filter(({ id }) => id === target.id) : live
}

function commandOf(source: string, { id, rule, summary }: Alert, verb: string, rollout: string): AskedCommand {
  // The rule's name is whatever its author wrote: it must not pass for a person's.
  const caller: Caller = { id: `${source}/${rule}`, name: `alert ${rule}`, kind: 'alert', roles: [], groups: [] }
  return {
    name: digest('alert', source, id, rollout),
    text: `${verb} ${rollout} ${summary}`.trim(),
    caller,
    sender: rule,
    origin: { kind: 'alert', ref: rule },
    replyTo: { kind: 'none' },
  }
}
