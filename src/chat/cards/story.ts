import type { Verdict } from '../../model/rollout.ts'
import type { NamedStep } from '../../rollouts/named-step.ts'
import type { Verb } from '../../rollouts/verbs.ts'

/** What a message tells, whatever the channel: words of other people are plain text of bounded length by now. */
export interface Story {
  /** Name of the notification; a message carries it, so that a double can be told. */
  readonly notification: string
  readonly tone: 'good' | 'bad' | 'warning' | 'plain'
  readonly title: string
  /** What happened, and why. */
  readonly words: string
  readonly facts: readonly Fact[]
  /** How requests are shared, cluster by cluster. */
  readonly weights: readonly WeightRow[]
  /** What each gate saw on each cluster, the worst first. */
  readonly gates: readonly GateRow[]
  readonly links: readonly Link[]
  /** What a person may do to the rollout now. */
  readonly verbs: readonly Verb[]
  /** The rollout that `verbs` are about. */
  readonly rollout?: string
  /** The step that it waits at for approvers: the one that buttons approve or reject. */
  readonly waitsAt?: Required<NamedStep>
}

export interface Fact {
  readonly name: string
  readonly value: string
}

export interface WeightRow {
  readonly cluster: string
  /** Whole per cents asked for the candidate. */
  readonly percent: number
  /** `10 % v2`, `what matches to v2`, `copies of 50 % to v2`. */
  readonly share: string
  /** Per cent of requests that really reached it, where that is known. */
  readonly seen?: number
  /** Why it is not with the others. */
  readonly note?: string
}

export interface GateRow {
  readonly gate: string
  readonly cluster: string
  readonly verdict: Verdict
  /** `12 of 240 bad (5 %), limit 1 %`. */
  readonly counts: string
  /** `evidence 12.3 of 100`. */
  readonly evidence: string
}

export interface Link {
  readonly title: string
  /** https. */
  readonly url: string
}

const CELLS = 10

/** `███░░░░░░░`: a share as ten cells. Less than one cell shows as one, and only all of it as ten. */
export function bar(percent: number): string {
  const full = percent <= 0 ? 0 : percent >= 100 ? CELLS : Math.min(CELLS - 1, Math.max(1, Math.round(percent / 10)))
  return '█'.repeat(full) + '░'.repeat(CELLS - full)
}

/** The story with at most so many rows of weights and of gates; a fact says how many are left out. */
export function withRows(story: Story, most: number): Story {
  const weights = story.weights.slice(0, most)
  const gates = story.gates.slice(0, most)
  const left = Math.max(story.weights.length - weights.length, story.gates.length - gates.length)
  if (left === 0) return story
  const fact = { name: 'Left out', value: `${left} more ${left === 1 ? 'row' : 'rows'}; the evidence has all` }
  return { ...story, weights, gates, facts: [...story.facts, fact] }
}

/** The story in its shortest form: title and a few words. */
export function summarized(story: Story): Story {
  const words = story.words.length <= 300 ? story.words : `${story.words.slice(0, 299)}…`
  return { ...withRows(story, 0), words: words.toWellFormed(), facts: story.facts.slice(0, 3), links: [], verbs: [] }
}
