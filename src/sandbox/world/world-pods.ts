import type { ServiceSpec, WorldPod } from './world-spec.ts'

/** The pods of a cluster and how many were ever made: numbers are not used twice. */
export interface PodSet {
  readonly pods: readonly WorldPod[]
  readonly podsMade: number
}

/** `namespace/service` */
export function serviceKey({ namespace, service }: { readonly namespace: string; readonly service: string }): string {
  return `${namespace}/${service}`
}

/**
 * The pods that the services want, out of those that are there: the first ones stay, missing ones are made with new names
 * and addresses (so their counters start from nothing), pods of another build (labels, workload) are replaced.
 */
export function settlePods(before: PodSet, services: Readonly<Record<string, ServiceSpec>>): PodSet {
  const pods: WorldPod[] = []
  let { podsMade } = before
  for (const [key, { versions }] of Object.entries(services)) {
    const [namespace = '', service = ''] = key.split('/')
    for (const [version, spec] of Object.entries(versions)) {
      const workload = spec.workload ?? `${service}-${version}`
      const build = { namespace, service, version, workload, labels: spec.labels ?? { app: service, version } }
      const kept = before.pods.filter((pod) => sameBuild(pod, build)).slice(0, spec.pods)
      pods.push(...kept)
      for (let missing = spec.pods - kept.length; missing > 0; missing -= 1) {
        podsMade += 1
        pods.push({ ...build, name: `${workload}-${podSuffix(podsMade)}`, ip: podAddress(podsMade) })
      }
    }
  }
  return { pods, podsMade }
}

function sameBuild(pod: WorldPod, build: Omit<WorldPod, 'name' | 'ip'>): boolean {
  const plain = ({ namespace, service, version, workload, labels }: Omit<WorldPod, 'name' | 'ip'>) =>
    JSON.stringify([namespace, service, version, workload, Object.entries(labels).sort()])
  return plain(pod) === plain(build)
}

/** Five letters and digits, another five for every number: the factor shares no divisor with 36^5. */
function podSuffix(number: number): string {
  return ((number * 15_485_863) % 36 ** 5).toString(36).padStart(5, '0')
}

function podAddress(number: number): string {
  return `10.${244 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`
}
