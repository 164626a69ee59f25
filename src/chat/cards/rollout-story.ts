import type { EventRecord } from '../../model/event.ts'
import { type Rollout, type RolloutTarget, serviceOfRollout } from '../../model/rollout.ts'
import { trafficText } from '../../model/step.ts'
import { applyVerb, type Verb } from '../../rollouts/verbs.ts'
import { gateRows } from './gate-rows.ts'
import { plainText, safeLink } from './plain-text.ts'
import { rolloutFacts } from './rollout-facts.ts'
import { headlineOf } from './rollout-headline.ts'
import type { Link, Story, WeightRow } from './story.ts'

/** In the order of a message's buttons. `rollback` is what `abort` does too. */
const BUTTONS: readonly Verb[] = ['approve', 'reject', 'promote', 'resume', 'pause', 'abort']

/**
 * What an event of a rollout tells, with the numbers of the rollout as it is now (undefined when it is no more). `site` is
 * the public address of this Meshwright.
 */
export function rolloutStory(
  notification: string,
  event: EventRecord,
  rollout: Rollout | undefined,
  site: string | undefined,
): Story {
  const id = event.subject.replace(/^rollouts\//, '')
  const service = serviceOfRollout(id) ?? id
  const candidate = plainText(rollout?.candidate ?? String(event.data?.candidate ?? 'the candidate'), 63)
  const { tone, title } = headlineOf(event, candidate, rollout)
  return {
    notification,
    tone,
    title: plainText(`${service}: ${title}`, 140),
    words: plainText(event.message, 1000),
    facts: rolloutFacts(event, service, candidate, rollout),
    weights: (rollout?.targets ?? []).map((target) => weightRow(target, candidate)),
    gates: rollout === undefined ? [] : gateRows(rollout),
    links: linksOf(id, rollout, site),
    verbs: rollout === undefined ? [] : verbsOf(rollout, event),
    rollout: id,
    ...(rollout?.phase === 'awaiting-approval' ? { waitsAt: { wave: rollout.wave ?? 0, step: rollout.step } } : {}),
  }
}

const OUT_NOTES = { harm: 'harm seen, back on stable', unreachable: 'not reached, on stable' } as const

function weightRow(target: RolloutTarget, candidate: string): WeightRow {
  const { cluster, weight, match, mirror, observedWeight, out } = target
  const isPlain = match === undefined && mirror === undefined
  return {
    cluster,
    percent: weight,
    share: isPlain ? `${weight} % ${candidate}` : `${trafficText(target)} to ${candidate}`,
    ...(observedWeight === null ? {} : { seen: observedWeight }),
    ...(out === undefined ? {} : { note: OUT_NOTES[out] }),
  }
}

function linksOf(id: string, rollout: Rollout | undefined, site: string | undefined): readonly Link[] {
  const links: readonly (readonly [string, string | undefined])[] = [
    ['Run', rollout?.source?.runUrl],
    ['Evidence', site === undefined ? undefined : `${site}/api/v1/rollouts/${id}/evidence`],
    ['Dashboard', site === undefined ? undefined : `${site}/`],
  ]
  return links.flatMap(([title, address]) => {
    const url = safeLink(address)
    return url === undefined ? [] : [{ title, url }]
  })
}

const SOMEBODY = { kind: 'person', id: '', name: '' } as const

/** The verbs that would change something now if somebody asked for them: the rollout itself says. */
function verbsOf(rollout: Rollout, { time }: EventRecord): readonly Verb[] {
  return BUTTONS.filter((verb) => {
    const after = applyVerb(rollout, { verb, actor: SOMEBODY, note: '', now: Date.parse(time) })
    return after.ok && after.value !== rollout
  })
}
