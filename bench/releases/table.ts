import type { Outcome } from './scenarios.ts'

/** Argo Rollouts 1.10.1 and Flagger 1.36.1 on the same work, measured on 2026-11-23 on one kube-apiserver 1.36.3. */
const PEERS: readonly (readonly [row: string, argo: string, flagger: string])[] = [
  ['last of 1 promoted', '30 s', '68 s'],
  ['last of 20 promoted', '33 s', '67 s'],
  ['last of 100 promoted', '85 s (43 s with its client limits raised)', '78 s'],
  ['requests per canary, N = 1', '64–67, 92 % writes', '130–134, 16 % writes'],
  ['requests per canary, N = 20', '64–67, 92 % writes', '130–134, 16 % writes'],
  ['requests per canary, N = 100', '64–67, 92 % writes', '130–134, 16 % writes'],
  ['requests per canary-minute, idle', '0 (and 30 lease updates)', '72–79'],
  ['CPU of an idle minute', '–', '5.7 s'],
  ['CPU per canary, N = 1', '–', '–'],
  ['CPU per canary, N = 20', '–', '–'],
  ['CPU per canary, N = 100', '200 ms', '92 ms'],
  ['breach, N = 20: metric turns → last VirtualService 100/0', '11.4 s', '19.9 s'],
  ['breach, N = 20: the look that sees it → 100/0, the slowest', '–', '–'],
  [
    'metrics server answers 500, N = 20, after a minute',
    'inline: all aborted at 50 s; background: all promoted',
    'all rolled back at 20 s',
  ],
]

/** The outcomes beside the peers' figures, as a Markdown table; rows that were not measured are left out. */
export function describeTable(outcomes: readonly Outcome[]): string {
  const cells: Readonly<Record<string, string>> = Object.assign({}, ...outcomes.map(({ cells }) => cells))
  const rows = PEERS.filter(([row]) => cells[row] !== undefined)
  const lines = rows.map(([row, argo, flagger]) => `| ${row} | ${cells[row]} | ${argo} | ${flagger} |`)
  const missed = outcomes.flatMap(({ missed }) => missed)
  return [
    '| | Meshwright | Argo Rollouts 1.10.1 | Flagger 1.36.1 |',
    '|---|---|---|---|',
    ...lines,
    ...(missed.length === 0 ? [] : ['', ...missed.map((one) => `MISSED: ${one}`)]),
  ].join('\n')
}
