import type { Verb } from '../../rollouts/verbs.ts'
import { stepWords } from '../step-words.ts'
import { escapeMrkdwn } from './plain-text.ts'
import { bar, type GateRow, type Story, type WeightRow, withRows } from './story.ts'

/** What `chat.postMessage` and a response_url take: the text of the notification, and what is shown. */
export interface SlackMessage {
  readonly text: string
  readonly blocks: readonly unknown[]
}

/** Slack takes 50 blocks in a message, 3,000 characters in a text, 10 fields in a section, 150 characters in a header. */
const TEXT = 2900
const FIELDS = 10
const ROWS = 20

const SIGNS = { good: '🟢', bad: '🔴', warning: '🟠', plain: '🔵' } as const

/** A button's verb: what `/hooks/slack/actions` is sent, with the rollout's id, and the step that waits, as `value`. */
export function actionId(verb: Verb): string {
  return `meshwright.${verb}`
}

const TITLES: Readonly<Record<Verb, string>> = {
  promote: 'Promote',
  pause: 'Pause',
  resume: 'Resume',
  approve: 'Approve',
  reject: 'Reject',
  abort: 'Abort',
  rollback: 'Roll back',
  'break-glass': 'Break the glass',
}
const STYLES: Partial<Record<Verb, 'primary' | 'danger'>> = { approve: 'primary', reject: 'danger', abort: 'danger' }
/** Asked again before it is done. */
const ASKED: readonly Verb[] = ['promote', 'reject', 'abort']

/**
 * A message in Block Kit. Words of other people stand in `plain_text`, or escaped in `mrkdwn`: nothing in them is a link, a
 * mention or a format.
 */
export function slackMessage(story: Story): SlackMessage {
  const { tone, title, words, facts, weights, gates, links } = withRows(story, ROWS)
  const blocks = [
    { type: 'header', text: plain(`${SIGNS[tone]} ${title}`) },
    ...(words === '' ? [] : [{ type: 'section', text: plain(words) }]),
    ...chunks(facts, FIELDS).map((part) => ({
      type: 'section',
      fields: part.map(({ name, value }) => mrkdwn(`*${name}*\n${escapeMrkdwn(value)}`)),
    })),
    ...(weights.length === 0 ? [] : picture('Requests to the candidate', table(weights.map(weightCells)))),
    ...(gates.length === 0 ? [] : picture('Gates', table(gates.map(gateCells)))),
    ...buttons(story),
    ...(links.length === 0 ? [] : [{ type: 'context', elements: [mrkdwn(links.map(link).join('   '))] }]),
  ]
  return { text: escapeMrkdwn(`${title}. ${words}`.slice(0, 1400).toWellFormed()), blocks }
}

function buttons({ verbs, rollout, waitsAt }: Story): readonly object[] {
  if (verbs.length === 0 || rollout === undefined) return []
  const elements = verbs.map((verb) => {
    // Pressed late, it must not be about a step that nobody saw.
    const isOnStep = waitsAt !== undefined && (verb === 'approve' || verb === 'reject')
    const value = isOnStep ? `${rollout} ${stepWords(waitsAt)}` : rollout
    return {
      type: 'button',
      action_id: actionId(verb),
      value,
      text: plain(TITLES[verb]),
      ...(STYLES[verb] === undefined ? {} : { style: STYLES[verb] }),
      ...(ASKED.includes(verb) ? { confirm: question(verb, value) } : {}),
    }
  })
  return [{ type: 'actions', elements }]
}

function question(verb: Verb, about: string): object {
  return {
    title: plain('Are you sure?'),
    text: plain(`${TITLES[verb]} ${about}`),
    confirm: plain(TITLES[verb]),
    deny: plain('No'),
  }
}

function weightCells({ cluster, percent, share, seen, note = '' }: WeightRow): readonly string[] {
  const observed = seen === undefined ? '' : `seen ${Math.round(seen * 10) / 10} %`
  return [cluster, bar(percent), share, observed, note]
}

function gateCells({ gate, cluster, verdict, counts, evidence }: GateRow): readonly string[] {
  return [cluster, gate, verdict, counts, evidence]
}

/** Lines with their cells one under the other. */
function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, index) => Math.max(...rows.map((row) => row[index]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

/** Lines in fixed width, in as many blocks as their length asks for. Names and numbers only: nothing to escape but `<`. */
function picture(title: string, lines: readonly string[]): readonly object[] {
  const parts: string[] = []
  for (const line of lines.map((line) => escapeMrkdwn(line.slice(0, 400)))) {
    const last = parts.at(-1)
    if (last !== undefined && last.length + line.length < TEXT - 100) parts[parts.length - 1] = `${last}\n${line}`
    else parts.push(line)
  }
  return parts.map((part, index) => ({
    type: 'section',
    text: mrkdwn(`${index === 0 ? `*${title}*\n` : ''}\`\`\`\n${part}\n\`\`\``),
  }))
}

/** Every character that would end the address is percent-encoded in it. */
function link({ title, url }: { readonly title: string; readonly url: string }): string {
  return `<${url.replace(/[|<>]/g, (sign) => encodeURIComponent(sign)).replace(/&/g, '&amp;')}|${title}>`
}

function plain(text: string): object {
  return { type: 'plain_text', text, emoji: false }
}

function mrkdwn(text: string): object {
  return { type: 'mrkdwn', text, verbatim: true }
}

function chunks<T>(all: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, index) => all.slice(index * size, (index + 1) * size))
}
