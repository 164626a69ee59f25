import { type SideRoute, sideRoutesBeyond } from '../model/placement.ts'
import type { Barrier } from './provider.ts'

/** What the stages of all meshes ask of the weights and side routes that are live and those that are to be. */

type Weights = Readonly<Record<string, number>>

/** Is it a split in the form that we write? Anything else is another hand's, or of ports that differ. */
export function isWhole(weights: Weights): boolean {
  return Object.values(weights).reduce((sum, weight) => sum + weight, 0) === 100
}

/** Versions that get more than before, in the order of names. */
export function risingVersions(before: Weights, after: Weights): readonly string[] {
  return Object.keys(after)
    .filter((version) => (after[version] ?? 0) > (before[version] ?? 0))
    .sort()
}

/** Each of these versions has ready endpoints; nothing to wait for when there are none. */
export function ready(versions: readonly string[]): readonly Barrier[] {
  return versions.length === 0 ? [] : [{ kind: 'endpoints-ready', versions: [...new Set(versions)].sort() }]
}

export interface SideChange {
  /** Kinds of side routes that go away, and the versions that lose them. */
  readonly leaving: ReadonlySet<SideRoute['kind']>
  readonly left: readonly string[]
  /** Versions that get one, or one of another form. */
  readonly gained: readonly string[]
  /** Versions whose side routes stay. */
  readonly kept: readonly string[]
}

export function compareSideRoutes(now: readonly SideRoute[], then: readonly SideRoute[]): SideChange {
  const stays = (route: SideRoute) => then.some(({ kind, version }) => kind === route.kind && version === route.version)
  const leaving = now.filter((route) => !stays(route))
  return {
    leaving: new Set(leaving.map(({ kind }) => kind)),
    left: versionsOf(leaving),
    gained: versionsOf(sideRoutesBeyond(then, now)),
    kept: versionsOf(now.filter(stays)),
  }
}

function versionsOf(routes: readonly SideRoute[]): readonly string[] {
  return [...new Set(routes.map(({ version }) => version))].sort()
}
