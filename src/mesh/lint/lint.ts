import { checkCallers } from './check-callers.ts'
import { checkPods } from './check-pods.ts'
import { checkPorts } from './check-ports.ts'
import { checkRivals } from './check-rivals.ts'
import { checkRoutes } from './check-routes.ts'
import { type Finding, finding } from './finding.ts'
import type { Desired, Seen } from './subject.ts'

/**
 * What of a service as asked for does not go with what was seen on a cluster. Pure: the same in gives the same out, in the
 * same order. It tells only what both surely show; docs/lint.md names what is not checked.
 */
export function lint(desired: Desired, seen: Seen): readonly Finding[] {
  return [
    ...checkPorts(desired, seen),
    ...checkPods(desired, seen),
    ...checkRoutes(desired),
    ...checkCallers(desired, seen),
    ...checkRivals(desired, seen),
    ...seen.unseen.map((sentence) => finding('NotSeen', sentence)),
  ]
}
