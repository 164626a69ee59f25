import { canonicalJson, shortId } from '../../model/digest.ts'
import { type HostDocument, keyOf } from '../../model/documents.ts'
import { MESHWRIGHT } from '../../model/identity.ts'
import type { OutboxEntry } from '../../model/outbox.ts'

/** Tells who has come to hold what, and who has given it up. `time` is RFC 3339. */
export function heldEvents(before: HostDocument, after: HostDocument, time: string): readonly OutboxEntry[] {
  const names = [...new Set([...Object.keys(before.holders), ...Object.keys(after.holders)])].sort()
  return names.flatMap((service) => {
    const [was, is] = [before, after].map(({ holders }) => (holders[service]?.paths ?? []).map(({ path }) => path))
    const [gained, lost] = [(is ?? []).filter((p) => !was?.includes(p)), (was ?? []).filter((p) => !is?.includes(p))]
    return [
      ...(gained.length === 0
        ? []
        : [hostEvent(after, time, service, 'host.claimed', 'Claimed', `${service} has ${gained.join(', ')}.`)]),
      ...(lost.length === 0
        ? []
        : [hostEvent(after, time, service, 'host.released', 'Released', `${service} gave up ${lost.join(', ')}.`)]),
    ]
  })
}

/** Tells who cannot have what it claims: its clusters are chosen by label, and another was there first. */
export function refusedEvents(before: HostDocument, after: HostDocument, time: string): readonly OutboxEntry[] {
  return Object.entries(after.holders).flatMap(([service, { refused = [] }]) => {
    if (refused.length === 0 || canonicalJson(before.holders[service]?.refused) === canonicalJson(refused)) return []
    const words = refused.map(({ path, cluster, by, reason }) => `${path} on ${cluster}: ${by} ${reason}`)
    return [hostEvent(after, time, service, 'host.refused', 'HostTaken', `${service} cannot have ${words.join('; ')}.`)]
  })
}

function hostEvent(
  host: HostDocument,
  time: string,
  service: string,
  type: string,
  reason: string,
  message: string,
): OutboxEntry {
  const key = keyOf(host)
  const id = shortId(20, key, service, type, String(host.renderRevision), message)
  const data = { service }
  return {
    id,
    kind: 'event',
    event: { id, type, time, subject: `hosts/${key}`, actor: MESHWRIGHT, reason, message, data },
  }
}
