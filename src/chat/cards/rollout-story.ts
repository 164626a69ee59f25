import type { EventRecord } from '../../model/event.ts'
import { gateText } from '../../model/gate.ts'
import { type GateProgress, type Rollout, serviceOfRollout, type ValueSeen, type Verdict } from '../../model/rollout.ts'
import { stepText } from '../../model/step.ts'
import { presentStep, stepsOf, waveText } from '../../model/waves.ts'
import { applyVerb, type Verb } from '../../rollouts/verbs.ts'
import { plainText, safeLink } from './plain-text.ts'
import type { Fact, GateRow, Link, Story } from './story.ts'

interface Headline {
  readonly tone: Story['tone']
  /** After `shop/web: `. */
  readonly title: (candidate: string) => string
}

const HEADLINES: Readonly<Record<string, Headline>> = {
  'rollout.started': { tone: 'plain', title: (candidate) => `rollout of ${candidate} started` },
  'rollout.awaiting-approval': { tone: 'warning', title: (candidate) => `${candidate} waits for approval` },
  'rollout.rolling-back': { tone: 'bad', title: (candidate) => `harm seen, ${candidate} is being rolled back` },
  'rollout.rolled-back': { tone: 'bad', title: (candidate) => `${candidate} was rolled back` },
  'rollout.aborted': { tone: 'bad', title: (candidate) => `rollout of ${candidate} was aborted` },
  'rollout.failed': { tone: 'bad', title: (candidate) => `rollout of ${candidate} failed, its way back is not live` },
  'rollout.succeeded': { tone: 'good', title: (candidate) => `${candidate} was promoted` },
  'rollout.paused': { tone: 'warning', title: (candidate) => `rollout of ${candidate} is paused` },
  'rollout.blind': { tone: 'warning', title: (candidate) => `rollout of ${candidate} cannot see its metrics` },
}

/** In the order of a message's buttons. `rollback` is what `abort` does too. */
const BUTTONS: readonly Verb[] = ['approve', 'reject', 'promote', 'resume', 'pause', 'abort']
const WORST_FIRST: readonly Verdict[] = ['harm', 'blind', 'undecided', 'safe']

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
  const { tone, title } = HEADLINES[event.type] ?? { tone: 'plain', title: () => event.type }
  return {
    notification,
    tone,
    title: plainText(`${service}: ${title(candidate)}`, 140),
    words: plainText(event.message, 1000),
    facts: factsOf(event, service, candidate, rollout),
    weights: (rollout?.targets ?? []).map(({ cluster, weight, observedWeight }) => ({
      cluster,
      candidate,
      percent: weight,
      ...(observedWeight === null ? {} : { seen: observedWeight }),
    })),
    gates: rollout === undefined ? [] : gateRows(rollout),
    links: linksOf(id, rollout, site),
    verbs: rollout === undefined ? [] : verbsOf(rollout, event),
    rollout: id,
  }
}

function factsOf(
  event: EventRecord,
  service: string,
  candidate: string,
  rollout: Rollout | undefined,
): readonly Fact[] {
  const step = rollout && presentStep(rollout)
  const commit = rollout?.source?.commit
  return [
    { name: 'Service', value: service },
    { name: 'Candidate', value: candidate },
    { name: 'Clusters', value: plainText((rollout?.targets ?? []).map(({ cluster }) => cluster).join(', '), 200) },
    {
      name: 'Step',
      value:
        step && rollout
          ? `${waveText(rollout)}${rollout.step + 1} of ${stepsOf(rollout).length}, ${stepText(step)}`
          : '',
    },
    { name: 'Highest weight', value: highest(event, rollout) },
    { name: 'By', value: plainText(event.actor.name, 100) },
    { name: 'Reason', value: plainText(event.reason, 100) },
    { name: 'Commit', value: commit === undefined ? '' : plainText(commit, 100) },
    { name: 'When', value: `${event.time.slice(0, 16).replace('T', ' ')} UTC` },
  ].filter(({ value }) => value !== '')
}

/** What the candidate got before it was taken back. */
function highest({ type }: EventRecord, rollout: Rollout | undefined): string {
  if (!/^rollout\.(rolling-back|rolled-back|aborted|failed)$/.test(type)) return ''
  const most = Math.max(0, ...(rollout?.targets ?? []).map(({ highestWeight = 0 }) => highestWeight))
  return most === 0 ? '' : `${most} %`
}

function gateRows(rollout: Rollout): readonly GateRow[] {
  return rollout.progress
    .flatMap((progress) => gateRow(rollout, progress))
    .toSorted((a, b) => WORST_FIRST.indexOf(a.verdict) - WORST_FIRST.indexOf(b.verdict))
}

function gateRow(rollout: Rollout, { gate, cluster, last }: GateProgress): readonly GateRow[] {
  if (last === undefined) return []
  const spec = rollout.gates[gate]
  const name = spec ? gateText(spec) : `gate ${gate}`
  const row = { gate: name, cluster, verdict: last.verdict }
  if (last.verdict === 'blind') return [{ ...row, counts: 'no numbers', evidence: '' }]
  if (last.value) return [{ ...row, ...valueWords(last.value) }]
  const { good, bad } = last.candidate
  const all = good + bad
  const share = all === 0 ? '' : ` (${rounded((100 * bad) / all)} %)`
  const limit = last.limitPercent === undefined ? '' : `, limit ${rounded(last.limitPercent)} %`
  const counts = `${bad} of ${all} bad${share}${limit}`
  return [{ ...row, counts, evidence: `evidence ${rounded(last.eValue)} of ${rounded(1 / last.alpha)}` }]
}

function valueWords({ candidate, breaches, looks }: ValueSeen): Pick<GateRow, 'counts' | 'evidence'> {
  return { counts: `value ${rounded(candidate)}`, evidence: `out of bounds ${breaches} of ${looks} looks` }
}

/** Three digits; large ones by powers of ten. */
function rounded(value: number): string {
  if (!Number.isFinite(value)) return '∞'
  if (Math.abs(value) >= 1e6) return value.toExponential(1).replace('e+', 'e')
  return String(Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3)))
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

/** The verbs that would change something now: the rollout itself says. */
function verbsOf(rollout: Rollout, { actor, time }: EventRecord): readonly Verb[] {
  return BUTTONS.filter((verb) => {
    const after = applyVerb(rollout, { verb, actor, note: '', now: Date.parse(time) })
    return after.ok && after.value !== rollout
  })
}
