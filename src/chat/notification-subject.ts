import type { CertificateDocument } from '../model/documents.ts'
import type { EventRecord } from '../model/event.ts'
import { serviceOfRollout } from '../model/rollout.ts'
import type { Notice, TeamSpec } from '../model/team.ts'
import type { Store } from '../ports/store.ts'
import { findRollout } from '../rollouts/read-rollout.ts'
import { certificateStory } from './cards/certificate-story.ts'
import { rolloutStory } from './cards/rollout-story.ts'
import type { Story } from './cards/story.ts'
import { overtakenCertificate, overtakenRollout } from './overtaken.ts'

/** Whose channels a notification goes to. */
export interface ToldTeam {
  readonly name: string
  readonly chat: TeamSpec['chat']
}

/** What a notification is about, as it is now. */
export interface Subject {
  /** Who is told; empty: nobody, for what it is about belongs to no team (any more) and no team has the platform's channels. */
  readonly teams: readonly ToldTeam[]
  /** What it is about was found, or is known to be of nobody; a replica of the store that is behind may not show it yet. */
  readonly isFound: boolean
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
    const teams = await teamOf(store, service ? service.value.spec.team : undefined)
    return {
      teams,
      isFound: teams.length > 0,
      overtaken: (notices) => overtakenRollout(event, rollout, notices),
      story: () => rolloutStory(name, event, rollout, site),
    }
  }
  const certificate = kind === 'certificates' ? (await store.read('certificate', id))?.value : undefined
  const isOfNobody = kind !== 'certificates' || (await store.read('mesh-ca', id)) !== undefined
  return {
    teams: await teamsOfCertificate(store, certificate),
    isFound: certificate !== undefined || isOfNobody,
    overtaken: () => overtakenCertificate(event, certificate),
    story: () => certificateStory(name, event, certificate, site),
  }
}

async function teamOf(store: Store, name: string | undefined): Promise<readonly ToldTeam[]> {
  const team = name === undefined ? undefined : await store.read('team', name)
  return team === undefined ? [] : [{ name: team.value.name, chat: team.value.spec.chat }]
}

/** Its team when that has a channel, else those who run the platform: nobody's certificate ends unseen. */
async function teamsOfCertificate(
  store: Store,
  certificate: CertificateDocument | undefined,
): Promise<readonly ToldTeam[]> {
  const own = await teamOf(store, certificate?.spec.team)
  if (own.some(hasChannel)) return own
  const all = (await store.all('team')).map(({ name, spec }) => ({ name, chat: spec.chat }))
  const platform = all.filter((team) => team.chat?.platform === true && hasChannel(team))
  return platform.length > 0 ? platform : own
}

function hasChannel({ chat }: ToldTeam): boolean {
  return chat?.channel !== undefined || chat?.teamsSecret !== undefined
}
