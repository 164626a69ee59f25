import { describeRef, type KubeObject, refOf } from '../../model/kube.ts'
import type { Acceptance } from '../provider.ts'

interface Status {
  readonly conditions?: readonly {
    readonly type?: string
    readonly status?: string
    readonly reason?: string
    readonly message?: string
  }[]
  readonly lastSyncedTime?: string
}

/** Both are whole seconds, by clocks of two machines of the cluster. */
const TOLERANCE_MS = 2000

/**
 * Has Consul stored an object as we last wrote it? Its status names no generation, so the time of the last success must not
 * lie before our write. That proxies have it is more than this tells.
 */
export function acceptance(live: KubeObject, writtenAt: number): Acceptance {
  const { conditions = [], lastSyncedTime } = (live.status ?? {}) as Status
  const synced = conditions.find(({ type }) => type === 'Synced')
  const ref = describeRef(refOf(live))
  if (synced?.status === 'False') {
    const why = [synced.reason, synced.message].filter(Boolean).join(': ')
    return { state: 'refused', message: `Consul does not take ${ref}${why === '' ? '' : `: ${why}`}.` }
  }
  const at = Date.parse(lastSyncedTime ?? '')
  if (synced?.status === 'True' && at >= writtenAt - TOLERANCE_MS) return { state: 'accepted' }
  return { state: 'waiting', message: `Consul has not yet taken ${ref} as it was last written.` }
}
