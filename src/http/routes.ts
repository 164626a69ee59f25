import type { Route } from './route.ts'
import { ALERT_HOOK_ROUTES } from './routes/alert-hooks.ts'
import { AUDIT_ROUTES } from './routes/audit.ts'
import { CAPABILITY_ROUTES } from './routes/capabilities.ts'
import { CERTIFICATE_REPORT_ROUTES } from './routes/certificate-report.ts'
import { CERTIFICATE_ROUTES } from './routes/certificates.ts'
import { CLUSTER_ROUTES } from './routes/clusters.ts'
import { EVENT_ROUTES } from './routes/events.ts'
import { EVIDENCE_ROUTES } from './routes/evidence.ts'
import { FREEZE_ROUTES } from './routes/freezes.ts'
import { HEALTH_ROUTES } from './routes/health.ts'
import { HOOK_ROUTES } from './routes/hooks.ts'
import { HOST_ROUTES } from './routes/hosts.ts'
import { IMPORT_ROUTES } from './routes/imports.ts'
import { JUDGE_ROUTES } from './routes/judge.ts'
import { KEY_VAULT_HOOK_ROUTES } from './routes/key-vault-hook.ts'
import { MIGRATION_ROUTES } from './routes/migrations.ts'
import { OPERATION_ROUTES } from './routes/operations.ts'
import { PAGE_ROUTES } from './routes/pages.ts'
import { PLAN_ROUTES } from './routes/plans.ts'
import { POLICY_ROUTES } from './routes/policies.ts'
import { REPLAY_ROUTES } from './routes/replay.ts'
import { ROLLOUT_PLAN_ROUTES } from './routes/rollout-plans.ts'
import { VERB_ROUTES } from './routes/rollout-verbs.ts'
import { ROLLOUT_ROUTES } from './routes/rollouts.ts'
import { SERVICE_ROUTES } from './routes/services.ts'
import { STRATEGY_ROUTES } from './routes/strategies.ts'
import { TEAM_ROUTES } from './routes/teams.ts'
import { TRANSFER_ROUTES } from './routes/transfer.ts'

/** Every operation of the API: what routes, authorizes, checks and describes them. */
export const ROUTES: readonly Route[] = [
  ...CLUSTER_ROUTES,
  ...MIGRATION_ROUTES,
  ...SERVICE_ROUTES,
  ...PLAN_ROUTES,
  ...IMPORT_ROUTES,
  ...ROLLOUT_ROUTES,
  ...ROLLOUT_PLAN_ROUTES,
  ...VERB_ROUTES,
  ...EVIDENCE_ROUTES,
  ...REPLAY_ROUTES,
  ...CERTIFICATE_ROUTES,
  ...CERTIFICATE_REPORT_ROUTES,
  ...HOST_ROUTES,
  ...EVENT_ROUTES,
  ...AUDIT_ROUTES,
  ...POLICY_ROUTES,
  ...STRATEGY_ROUTES,
  ...TEAM_ROUTES,
  ...FREEZE_ROUTES,
  ...JUDGE_ROUTES,
  ...CAPABILITY_ROUTES,
  ...OPERATION_ROUTES,
  ...TRANSFER_ROUTES,
  ...HOOK_ROUTES,
  ...ALERT_HOOK_ROUTES,
  ...KEY_VAULT_HOOK_ROUTES,
  ...HEALTH_ROUTES,
  ...PAGE_ROUTES,
]
