import type { SyntaxNode, Tree } from '@lezer/common'
import type { QueryProblem } from '../model/query-template.ts'

/** Where a query in PromQL leaves the grammar; undefined when it parses. The parser is loaded at the first call. */
export async function promqlProblem(query: string): Promise<QueryProblem | undefined> {
  const tree = await parse(query)
  const broken = nodesOf(tree, (node) => node.type.isError)[0]
  const isEmpty = tree.topNode.firstChild === null
  if (!broken && !isEmpty) return undefined
  const rest = query.slice(broken?.from ?? query.length)
  const offset = query.length - rest.trimStart().length
  const next = rest.trim().slice(0, 20)
  return { offset, reason: next === '' ? 'the query ends too early' : `does not parse at ${JSON.stringify(next)}` }
}

export interface SelectorPlace {
  readonly from: number
  readonly to: number
  /** The names of labels in its braces, as they are written. One in quotes may be a metric's, too. */
  readonly labels: readonly string[]
}

/** Where the instant selectors of a query stand, in order; undefined when it does not parse. */
export async function selectorsOf(query: string): Promise<readonly SelectorPlace[] | undefined> {
  const tree = await parse(query)
  if (nodesOf(tree, (node) => node.type.isError).length > 0) return undefined
  return nodesOf(tree, (node) => node.name === 'VectorSelector').map(({ from, to }) => {
    const labels = nodesOf(tree, (node) => LABELS.includes(node.name) && node.from >= from && node.to <= to)
    return { from, to, labels: labels.map((label) => query.slice(label.from, label.to)) }
  })
}

const LABELS = ['LabelName', 'QuotedLabelName']

async function parse(query: string): Promise<Tree> {
  const { parser } = await import('@prometheus-io/lezer-promql')
  return parser.parse(query)
}

function nodesOf(tree: Tree, picked: (node: SyntaxNode) => boolean): readonly SyntaxNode[] {
  const found: SyntaxNode[] = []
  tree.iterate({ enter: ({ node }) => void (picked(node) && found.push(node)) })
  return found
}
