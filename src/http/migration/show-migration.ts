import * as z from 'zod'
import { SEVERITIES } from '../../mesh/lint/codes.ts'
import type { OsmMigrationRequest } from '../../model/migration.ts'
import { serviceSpec } from '../../model/service.ts'
import type { Plan } from '../../reconcile/plan.ts'
import type { HttpDeps } from '../http-deps.ts'
import { planView } from '../views/plan-view.ts'
import type { AppliedItem } from './apply-migration.ts'
import { baseline, stepsByHand } from './by-hand.ts'
import type { DraftedService } from './draft-services.ts'
import type { Places } from './places.ts'
import type { MigrationPlan } from './plan-migration.ts'
import { planObjects } from './plan-objects.ts'

/** A plan asks the server several things for each service. */
const MOST_PLANNED = 100
const AT_ONCE = 4

const failureView = z.object({
  code: z.string(),
  detail: z.string(),
  errors: z.array(z.object({ pointer: z.string(), reason: z.string() })).optional(),
  hint: z.string().optional(),
})

const appliedView = z.object({
  value: z.array(
    z.object({
      kind: z.enum(['cluster', 'service']),
      name: z.string(),
      result: z.enum(['created', 'updated', 'unchanged', 'failed']),
      failure: failureView.optional(),
    }),
  ),
  failed: z.int().describe('How many were not written'),
})

const findingView = z.object({
  code: z.string().describe('See docs/migration-osm.md'),
  severity: z.enum(SEVERITIES).describe('error: holds an apply up, unless the code stands in accept'),
  object: z.string().describe('What it is about'),
  field: z.string().optional(),
  message: z.string(),
  fix: z.string(),
})

export const migrationView = z
  .object({
    cluster: z.string(),
    stage: z
      .enum(['target', 'hold', 'switch'])
      .describe(
        'target: the services are for another cluster. In place, hold: they are registered on no cluster yet; switch: the cluster has Istio, and they come to it',
      ),
    target: z.string().describe('Where the services are to be'),
    permissive: z
      .boolean()
      .optional()
      .describe('The mesh lets everybody in it call everybody. Absent in the stage switch: that mesh is gone'),
    digest: z.string().describe('Of this plan; an apply must name it'),
    ready: z.boolean().describe('No finding holds an apply up'),
    services: z.array(
      z.object({
        namespace: z.string(),
        name: z.string(),
        result: z
          .enum(['create', 'replace', 'place', 'same', 'left'])
          .describe(
            'What an apply does. place: it comes to the cluster that it waits for; left: a finding says why nothing is done',
          ),
        spec: z.object(serviceSpec.shape).describe('The body, as PUT takes it'),
        plan: planView
          .optional()
          .describe(
            `The Istio objects. Absent: the service is left, or applied, or one after the first ${MOST_PLANNED}`,
          ),
      }),
    ),
    callers: z
      .array(
        z.object({
          from: z.string().describe('Service account of callers, NAMESPACE/NAME'),
          to: z.string().describe('The service, NAMESPACE/NAME'),
          after: z.enum(['same', 'less', 'none']).describe('What of its requests gets in afterwards'),
        }),
      )
      .describe('Who gets something in now. Empty where everybody in the mesh may call'),
    findings: z.array(findingView),
    baseline: z
      .array(z.record(z.string(), z.unknown()))
      .describe(
        'Objects to apply by hand: they refuse what no rule lets in. Empty in the stage switch: those of the stage hold are meant',
      ),
    steps: z.array(z.string()).describe('What only people can do, in order'),
    applied: appliedView.optional().describe('With apply: what became of each item'),
  })
  .meta({ id: 'OsmMigration' })

/** What a plan answers, or, with `applied`, an apply. */
export async function showMigration(
  deps: Pick<HttpDeps, 'plan'>,
  { places, migration, services, findings, digest, blocking }: MigrationPlan,
  request: OsmMigrationRequest,
  applied?: readonly AppliedItem[],
): Promise<object> {
  const plans = applied ? [] : await planFirst(deps, places, services)
  const shown = services.map(({ document: _, registered: _r, ...service }, at) => ({
    ...service,
    ...(plans[at] ? { plan: plans[at] } : {}),
  }))
  const failed = applied?.filter(({ result }) => result === 'failed').length
  return {
    cluster: places.source.name,
    stage: places.stage,
    target: places.place.name,
    ...(migration.permissive === undefined ? {} : { permissive: migration.permissive }),
    digest,
    ready: blocking.length === 0,
    services: shown,
    callers: migration.callers,
    findings,
    baseline: baseline(migration),
    steps: stepsByHand(places, request),
    ...(applied ? { applied: { value: applied, failed } } : {}),
  }
}

async function planFirst(
  deps: Pick<HttpDeps, 'plan'>,
  places: Places,
  services: readonly DraftedService[],
): Promise<readonly (Plan | undefined)[]> {
  const plans: (Plan | undefined)[] = []
  const first = services.slice(0, MOST_PLANNED)
  for (let at = 0; at < first.length; at += AT_ONCE) {
    const some = first.slice(at, at + AT_ONCE)
    plans.push(...(await Promise.all(some.map(({ document }) => document && planObjects(deps, places, document)))))
  }
  return plans
}
