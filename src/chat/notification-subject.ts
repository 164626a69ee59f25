import type { EventRecord } from '../model/event.ts'
import { serviceOfRollout } from '../model/rollout.ts'
import type { Notice, TeamSpec } from '../model/team.ts'
import type { Store } from '../ports/store.ts'
import { findRollout } from '../rollouts/read-rollout.ts'
import { certificateStory } from './cards/certificate-story.ts'
import { rolloutStory } from './cards/rollout-story.ts'
import type { Story } from './cards/story.ts'
import { overtakenCertificate, overtakenRollout } from './overtaken.ts'

/** What a notification is about, as it is now. */
export interface Subject {
  /** Who is told; absent: nobody, for what it is about belongs to no team (any more). */
  readonly team?: { readonly name: string; readonly chat: TeamSpec['chat'] }
  /** Why a channel that wants to hear of `notices` need not be told any more. */
  overtaken(notices: readonly Notice[] | undefined): string | undefined
  story(): Story
}

/** Looks up what an event is about and whose it is. Throws PortError. `site` is the public address of this Meshwright. */
export async function readSubject(
  store: Store,
  name: string,
  event: EventRecord,
  site: string | undefined,
): Promise<Subject> {
  const [kind = '', id = ''] = event.subject.split('/')
  if (kind === 'rollouts') {
    const key = serviceOfRollout(id)
    const [service, rollout] = await Promise.all([key && store.read('service', key), findRollout(store, id)])
    return {
      ...(await teamOf(store, service ? service.value.spec.team : undefined)),
      overtaken: (notices) => overtakenRollout(event, rollout, notices),
      story: () => rolloutStory(name, event, rollout, site),
    }
  }
  const certificate = kind === 'certificates' ? (await store.read('certificate', id))?.value : undefined
  return {
    ...(await teamOf(store, certificate?.spec.team)),
    overtaken: () => overtakenCertificate(event, certificate),
    story: () => certificateStory(name, event, certificate, site),
  }
}

async function teamOf(store: Store, name: string | undefined): Promise<Pick<Subject, 'team'>> {
  const team = name === undefined ? undefined : await store.read('team', name)
  return team === undefined ? {} : { team: { name: team.value.name, chat: team.value.spec.chat } }
}
