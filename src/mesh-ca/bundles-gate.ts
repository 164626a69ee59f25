import type { CaRotation } from '../model/ca-rotation.ts'
import type { TrustDocument } from '../model/documents.ts'
import type { TrustGroup } from '../model/trust.ts'
import type { Wanted } from './wanted.ts'

interface Asked {
  readonly rotation: CaRotation
  readonly wanted: Wanted
  readonly trust: TrustDocument | undefined
}

/** What is wrong with the trust bundles, in words; undefined when every one is as wanted. */
export function bundleProblem({ rotation, wanted, trust }: Asked): string | undefined {
  const { bundles = [], without = [] } = trust ?? {}
  if (without.length > 0) return `There is no trust bundle in ${without.join(', ')}. ${EXCEPT}`
  if (bundles.length === 0) return 'No namespace has a trust bundle (ConfigMap istio-ca-root-cert).'
  const leaving = leavingRoot(rotation)
  const isFine = (group: TrustGroup) =>
    leaving === undefined ? isAsWanted(group, wanted) : isBack(group, wanted, leaving)
  const astray = bundles.filter((group) => !isFine(group))
  if (astray.length === 0) {
    // Those of other meshes alone say nothing of this one.
    const isSeen = bundles.some(({ roots }) => wanted.roots.every((root) => roots.includes(root)))
    return isSeen ? undefined : 'No trust bundle holds what was trusted before.'
  }
  const count = astray.reduce((sum, { namespaces }) => sum + namespaces, 0)
  const examples = astray.flatMap((group) => group.examples).slice(0, 5)
  const what =
    leaving !== undefined ? BACK : wanted.exact ? 'do not hold exactly the wanted roots' : 'lack a wanted root'
  return `The trust bundles of ${count} ${count === 1 ? 'namespace' : 'namespaces'} ${what}: ${examples.join(', ')}. ${EXCEPT}`
}

const BACK = 'hold the root that goes, not all of those that were trusted before, or none that can be read'
const EXCEPT =
  'If that is the bundle of another mesh, and no Pod there has a proxy of this one, PATCH the CA with that namespace in exceptNamespaces.'

/** Does a group of bundles hold the wanted roots: all of them, or exactly them? */
export function isAsWanted({ roots }: Pick<TrustGroup, 'roots'>, wanted: Pick<Wanted, 'roots' | 'exact'>): boolean {
  const held = new Set(roots)
  return wanted.roots.every((root) => held.has(root)) && (!wanted.exact || held.size === new Set(wanted.roots).size)
}

/** The root that leaves the bundles on the way back: it alone can do harm by staying. */
function leavingRoot({ direction, phase, from, root }: CaRotation): string | undefined {
  const made = root?.certificate.fingerprint
  if (direction !== 'back' || phase !== 'narrowing' || made === undefined) return undefined
  return from?.roots.some(({ fingerprint }) => fingerprint === made) ? undefined : made
}

/** Of bundles that have nothing of this mesh nothing is asked. */
function isBack({ roots }: TrustGroup, wanted: Wanted, leaving: string): boolean {
  if (roots.length === 0 || roots.includes(leaving)) return false
  return isAsWanted({ roots }, { ...wanted, exact: false }) || !roots.some((root) => wanted.roots.includes(root))
}
