import { missingRole } from '../model/access.ts'
import { type Caller, hasRole } from '../model/identity.ts'
import { type Rollout, serviceOfRollout } from '../model/rollout.ts'
import { wavesOf } from '../model/waves.ts'
import type { Store } from '../ports/store.ts'
import { checkTeam } from '../rollouts/check-team.ts'

/**
 * Which rollouts show a caller the whole addresses of their webhooks? Those that it could have started: a deployer's of the
 * service's team. Reads each service once, and none where there is nothing to see. Throws PortError.
 */
export function seesWebhooks(store: Store, caller: Caller): (rollout: Rollout) => Promise<boolean> {
  const known = new Map<string, Promise<boolean>>()
  const isDeployer = missingRole(caller, ['Mesh.Deployer']) === undefined
  return async (rollout) => {
    if (hasRole(caller, 'Mesh.Admin')) return true
    if (!isDeployer || !hasWebhook(rollout)) return false
    const key = serviceOfRollout(rollout.id) ?? ''
    const found = known.get(key) ?? reaches(store, key, caller)
    known.set(key, found)
    return found
  }
}

function hasWebhook(rollout: Rollout): boolean {
  return [rollout.steps, ...wavesOf(rollout).map(({ steps }) => steps)].some((steps) =>
    steps.some(({ webhook }) => webhook !== undefined),
  )
}

async function reaches(store: Store, key: string, caller: Caller): Promise<boolean> {
  const service = (await store.read('service', key))?.value
  return service !== undefined && (await checkTeam(store, service, { caller })).ok
}
