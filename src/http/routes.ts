import type { Route } from './route.ts'
import { CLUSTER_ROUTES } from './routes/clusters.ts'
import { FREEZE_ROUTES } from './routes/freezes.ts'
import { HEALTH_ROUTES } from './routes/health.ts'
import { NOT_BUILT_ROUTES } from './routes/not-built.ts'
import { OPERATION_ROUTES } from './routes/operations.ts'
import { VERB_ROUTES } from './routes/rollout-verbs.ts'
import { ROLLOUT_ROUTES } from './routes/rollouts.ts'
import { SERVICE_ROUTES } from './routes/services.ts'
import { STRATEGY_ROUTES } from './routes/strategies.ts'
import { TEAM_ROUTES } from './routes/teams.ts'

/** Every operation of the API: what routes, authorizes, checks and describes them. */
export const ROUTES: readonly Route[] = [
  ...CLUSTER_ROUTES,
  ...SERVICE_ROUTES,
  ...ROLLOUT_ROUTES,
  ...VERB_ROUTES,
  ...STRATEGY_ROUTES,
  ...TEAM_ROUTES,
  ...FREEZE_ROUTES,
  ...OPERATION_ROUTES,
  ...HEALTH_ROUTES,
  ...NOT_BUILT_ROUTES,
]
