import type { SeriesSource } from '../emulators/prometheus/series-source.ts'
import type { World } from './world.ts'

/**
 * The series of every cluster of a world, told apart by the label `cluster`, as in a workspace that they all write to. A
 * cluster whose Prometheus does not answer writes nothing.
 */
export function allClusters(world: World): SeriesSource {
  return {
    series(matchers, fromMs, toMs) {
      const [onCluster, others] = [
        matchers.filter(({ label }) => label === 'cluster'),
        matchers.filter(({ label }) => label !== 'cluster'),
      ]
      return world
        .clusters()
        .filter((name) => world.cluster(name)?.spec.metrics !== 'unavailable')
        .filter((name) => onCluster.every((matcher) => matcher.passes(name)))
        .flatMap((cluster) =>
          world
            .metrics(cluster)
            .series(others, fromMs, toMs)
            .map(({ labels, samples }) => ({ labels: { ...labels, cluster }, samples })),
        )
    },
  }
}
