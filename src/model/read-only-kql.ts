import { codeOf, type QueryProblem } from './query-template.ts'

/** Functions that read from elsewhere: other workspaces and clusters, the outside, resources that nobody named. */
const ELSEWHERE = [
  'workspace',
  'app',
  'resource',
  'cluster',
  'database',
  'adx',
  'arg',
  'externaldata',
  'external_table',
  'stored_query_result',
]
const CALLED = new RegExp(`\\b(${ELSEWHERE.join('|')})\\s*\\(`, 'i')

/**
 * Why a query in KQL is not taken; undefined for one that only reads the workspace it is sent to. It may define values by
 * `let` and is else one statement: no management command, no setting, no plugin, no data from elsewhere.
 */
export function kqlProblem(query: string): QueryProblem | undefined {
  const code = codeOf('kql', query)
  const statements = [...code.matchAll(/[^;]+/g)].filter(([text]) => text.trim() !== '')
  const starts = statements.map(({ 0: text, index }) => index + text.length - text.trimStart().length)
  for (const [number, offset] of starts.entries()) {
    const rest = code.slice(offset)
    if (rest.startsWith('.')) return { offset, reason: 'management commands are not taken' }
    const isLast = number === starts.length - 1
    if (!isLast && !/^let\s/.test(rest)) return { offset, reason: 'must be let: only one statement may be another' }
    if (isLast && /^(let|set|alias|declare|restrict|pattern)\b/i.test(rest)) {
      return { offset, reason: 'must be a query that gives a number, not a statement that gives none' }
    }
  }
  if (starts.length === 0) return { offset: 0, reason: 'must hold a query' }
  return forbidden(code)
}

function forbidden(code: string): QueryProblem | undefined {
  const [, called = ''] = CALLED.exec(code) ?? []
  if (called !== '') {
    const reason = `${called.toLowerCase()}() reads from elsewhere: only the workspace of the cluster may be read`
    return { offset: code.search(CALLED), reason }
  }
  const rules: readonly (readonly [RegExp, string])[] = [
    [/\bevaluate\b/i, 'evaluate runs plugins, which are not taken'],
    [/\binvoke\b/i, 'invoke runs functions from elsewhere, which are not taken'],
    [/\]\s*\(/, 'a name in brackets must not be called'],
    [/<\|/, 'management commands are not taken'],
  ]
  const broken = rules.find(([pattern]) => pattern.test(code))
  return broken && { offset: code.search(broken[0]), reason: broken[1] }
}
