import { bar, type GateRow, type Story, summarized, type WeightRow, withRows } from './story.ts'

/**
 * Most bytes of a message in UTF-8. Teams says 28 KB; users of Workflows have seen less taken, so there is room to spare.
 */
export const TEAMS_BYTES = 20 * 1024

const ROW_BUDGETS = [20, 10, 5, 0]

type Color = 'Good' | 'Attention' | 'Warning' | 'Default'
interface Run {
  readonly type: 'TextRun'
  readonly text: string
  readonly weight?: 'Bolder'
  readonly size?: 'Medium' | 'Small'
  readonly color?: Color
  readonly isSubtle?: boolean
  readonly fontType?: 'Monospace'
}
type Style = Omit<Run, 'type' | 'text'>

const STYLES = { good: 'good', bad: 'attention', warning: 'warning', plain: 'emphasis' } as const
const COLORS = { harm: 'Attention', blind: 'Warning', undecided: 'Default', safe: 'Good' } as const

/**
 * The body of a POST to a Teams Workflows webhook ("When a Teams webhook request is received"): an Adaptive Card 1.4 in the
 * message envelope. Text stands in text runs, which know no markdown, so that nothing in it is a link or a format. The
 * only actions are links: others do not work there. Fits into `TEAMS_BYTES`, if need be as a summary.
 */
export function teamsMessage(story: Story): unknown {
  const fitting = ROW_BUDGETS.map((rows) => envelope(withRows(story, rows))).find(
    (message) => Buffer.byteLength(JSON.stringify(message)) <= TEAMS_BYTES,
  )
  return fitting ?? envelope(summarized(story))
}

function envelope(story: Story): unknown {
  const content = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    fallbackText: story.title,
    msteams: { width: 'Full' },
    body: [
      head(story),
      facts(story),
      ...(story.weights.length === 0 ? [] : [section('Requests to the candidate', story.weights.map(weightRow))]),
      ...(story.gates.length === 0 ? [] : [section('Gates', story.gates.map(gateRow))]),
    ],
    actions: story.links.map(({ title, url }) => ({ type: 'Action.OpenUrl', title, url })),
  }
  const attachment = { contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null, content }
  return { type: 'message', attachments: [attachment] }
}

/** Its id carries the name of the notification. */
function head({ notification, tone, title, words }: Story): object {
  return {
    type: 'Container',
    id: `notification-${notification}`,
    style: STYLES[tone],
    bleed: true,
    items: [text(run(title, { weight: 'Bolder', size: 'Medium' })), text(run(words))],
  }
}

function facts({ facts }: Story): object {
  const half = Math.ceil(facts.length / 2)
  const items = (part: Story['facts']) =>
    part.map(({ name, value }) => ({
      ...text(run(`${name}  `, { isSubtle: true }), run(value, { weight: 'Bolder' })),
      spacing: 'Small',
    }))
  return columns(
    [facts.slice(0, half), facts.slice(half)].filter((part) => part.length > 0).map((part) => column('1', items(part))),
  )
}

function section(title: string, rows: readonly object[]): object {
  const items = [text(run(title, { weight: 'Bolder' })), ...rows]
  return { type: 'Container', separator: true, spacing: 'Medium', items }
}

function weightRow({ cluster, percent, share, seen, note }: WeightRow): object {
  const observed = seen === undefined ? [] : [run(`   seen ${Math.round(seen * 10) / 10} %`, { isSubtle: true })]
  const apart = note === undefined ? [] : [run(`   ${note}`, { color: 'Attention' })]
  return columns(
    [
      column('1', [text(run(cluster))]),
      column('1', [text(run(bar(percent), { fontType: 'Monospace', color: 'Good' }))]),
      column('2', [text(run(share, { weight: 'Bolder' }), ...observed, ...apart)]),
    ],
    'Small',
  )
}

function gateRow({ gate, cluster, verdict, counts, evidence }: GateRow): object {
  const told = text(run(counts), run(evidence === '' ? '' : `   ${evidence}`, { isSubtle: true }))
  return columns(
    [
      column('1', [text(run(cluster), run(`   ${gate}`, { isSubtle: true }))]),
      column('1', [text(run(verdict, { weight: 'Bolder', color: COLORS[verdict] }))]),
      column('2', [told]),
    ],
    'Small',
  )
}

function columns(parts: readonly object[], spacing: 'Small' | 'Medium' = 'Medium'): object {
  return { type: 'ColumnSet', spacing, columns: parts }
}

function column(width: string, items: readonly object[]): object {
  return { type: 'Column', width, items }
}

function text(...inlines: readonly Run[]): object {
  return { type: 'RichTextBlock', inlines: inlines.filter(({ text }) => text !== '') }
}

function run(words: string, style: Style = {}): Run {
  return { type: 'TextRun', text: words, ...style }
}
