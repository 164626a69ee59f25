import { type KubeObject, refOf } from '../model/kube.ts'
import type { ClusterApi } from '../ports/cluster-api.ts'
import { isPortError, type PortError } from '../ports/port-error.ts'
import { refKey } from './content.ts'
import type { Write } from './write.ts'

export interface Written {
  readonly write: Write
  /** The object as the server keeps it now. */
  readonly after: KubeObject
}

export interface ApplyOutcome {
  readonly written: readonly Written[]
  /** What ended it early. */
  readonly error?: PortError
}

/** Makes the writes in order, each on the object that the one before left. A port's error ends it; others are thrown. */
export async function applyWrites(api: ClusterApi, writes: readonly Write[]): Promise<ApplyOutcome> {
  const latest = new Map<string, KubeObject>()
  const written: Written[] = []
  for (const write of writes) {
    const key = refKey(refOf(write.object))
    const live = latest.get(key) ?? write.live
    try {
      const after = await api.apply(withPreconditions(write.object, live), { force: write.force })
      latest.set(key, after)
      written.push({ write, after })
    } catch (error) {
      if (isPortError(error)) return { written, error }
      throw error
    }
  }
  return { written }
}

/** No live object ever has this version: etcd's revisions start above it. An apply that names it can only create. */
const NEVER = '1'

/**
 * The object with uid and resourceVersion of what was read: the server refuses if it is another or has changed since. What
 * was not there may only be created: a writer that was slower than another must not apply an older render over it.
 */
export function withPreconditions(object: KubeObject, live: KubeObject | undefined): KubeObject {
  if (!live) return { ...object, metadata: { ...object.metadata, resourceVersion: NEVER } }
  const { uid, resourceVersion } = live.metadata
  return {
    ...object,
    metadata: {
      ...object.metadata,
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    },
  }
}

/** Did another writer come first, so that all must be read again? */
export function isRace(error: PortError): boolean {
  if (error.kind === 'precondition') return true
  return error.kind === 'conflict' && error.reason !== 'FieldManagerConflict'
}
