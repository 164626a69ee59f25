import { MANAGED_BY } from '../../mesh/marks.ts'
import { describeRef, type KubeObject, refOf } from '../../model/kube.ts'
import { toolOf } from '../owners.ts'

/** Who would put an object back, and what ends that. */
interface Keeper {
  readonly name: string
  readonly wayOut: string
}

/**
 * Who keeps an object of Linkerd's identity and would put it back; undefined for one that a person made, `linkerd install`
 * among them: registering the CA asks for those. What Helm once wrote and keeps no more bears its name as a field manager for
 * ever: only the marks of a release count.
 */
export function keeperOf(object: KubeObject): Keeper | undefined {
  const { labels = {}, annotations = {}, managedFields = [], ownerReferences = [] } = object.metadata
  const keys = [...Object.keys(labels), ...Object.keys(annotations)]
  const isManagedBy = (pattern: RegExp) => managedFields.some(({ manager = '' }) => pattern.test(manager))
  if (keys.some((key) => key.startsWith('trust.cert-manager.io/')) || isManagedBy(/^trust-manager/))
    return { name: 'trust-manager', wayOut: BUNDLE }
  if (keys.some((key) => /^(controller\.)?cert-manager\.io\//.test(key))) {
    return { name: 'cert-manager', wayOut: CERTIFICATE }
  }
  const [owner] = ownerReferences
  if (owner)
    return { name: `${owner.kind} ${owner.name}`, wayOut: `Remove that owner without its objects (--cascade=orphan).` }
  const tool = toolOf(object)
  if (tool === undefined) return undefined
  if (tool !== 'Helm') return { name: tool, wayOut: `Take ${describeRef(refOf(object))} out of what ${tool} applies.` }
  const isReleased = Object.hasOwn(annotations, RELEASE) || labels[MANAGED_BY]?.toLowerCase() === 'helm'
  return isReleased ? { name: `Helm${releaseOf(annotations)}`, wayOut: HELM } : undefined
}

const RELEASE = 'meta.helm.sh/release-name'

const BUNDLE = 'Remove the Bundle, and the marks trust.cert-manager.io/* from the ConfigMap.'
const CERTIFICATE = 'Remove the Certificate, and the marks cert-manager.io/* from the Secret.'
const HELM =
  'Annotate it with helm.sh/resource-policy: keep, set identity.externalCA=true and identity.issuer.scheme=kubernetes.io/tls ' +
  'in the release and upgrade it; then take the annotations meta.helm.sh/* and the label app.kubernetes.io/managed-by away.'

function releaseOf(annotations: Readonly<Record<string, string>>): string {
  const name = annotations[RELEASE]
  return name === undefined ? '' : ` (release ${annotations['meta.helm.sh/release-namespace'] ?? ''}/${name})`
}
