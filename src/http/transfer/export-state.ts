import { timestamp } from '../../model/names.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Store } from '../../ports/store.ts'
import { stableOf } from '../views/service-view.ts'
import type { DesiredState } from './desired-state.ts'

/** All that users own, in the order of names. What is being deleted is left out. */
export async function exportState(deps: { readonly store: Store; readonly clock: Clock }): Promise<DesiredState> {
  const { store } = deps
  const [teams, strategies, freezes, policies, clusters, certificates, meshCas, services] = await Promise.all([
    store.all('team'),
    store.all('strategy'),
    store.all('freeze'),
    store.all('policy'),
    store.all('cluster'),
    store.all('certificate'),
    store.all('mesh-ca'),
    store.all('service'),
  ])
  return {
    schema: 1,
    exportedAt: timestamp(deps.clock.now()),
    teams: teams.map(({ name, spec }) => ({ name, ...spec })),
    strategies: strategies.map(({ name, spec }) => ({ name, ...spec })),
    freezes: freezes.map(({ name, spec }) => ({ name, ...spec })),
    policies: policies.filter(isKept).map(({ name, spec }) => ({ name, ...spec })),
    clusters: clusters.filter(isKept).map(({ name, spec }) => ({ name, ...spec })),
    certificates: certificates.filter(isKept).map(({ name, spec }) => ({ name, ...spec })),
    meshCas: meshCas.map(({ name, spec }) => ({ name, ...spec })),
    services: services
      .filter(isKept)
      .map(({ namespace, name, spec, targets }) => ({ namespace, name, ...spec, stable: stableOf(targets) })),
  }
}

function isKept(document: { readonly deletingAt?: string }): boolean {
  return document.deletingAt === undefined
}
