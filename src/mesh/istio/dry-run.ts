import type { KubeObject } from '../../model/kube.ts'

/** The annotation by which Istio only tries an AuthorizationPolicy: proxies log what it would do, and nobody is refused or let in. */
export const DRY_RUN = 'istio.io/dry-run'

/** Is a policy tried only? Istio reads the annotation as Go reads a bool. */
export function isDryRun({ metadata }: KubeObject): boolean {
  return ['1', 't', 'T', 'true', 'TRUE', 'True'].includes(metadata.annotations?.[DRY_RUN] ?? '')
}
