import type { LabelMatcher, MatchOperator } from './series-source.ts'

/** A matcher with Prometheus' meaning; throws SyntaxError, in Go's words, on a regular expression that RE2 would refuse. */
export function labelMatcher(label: string, operator: MatchOperator, value: string): LabelMatcher {
  return { label, operator, value, passes: predicate(operator, value) }
}

function predicate(operator: MatchOperator, value: string): (text: string) => boolean {
  if (operator === '=') return (text) => text === value
  if (operator === '!=') return (text) => text !== value
  const pattern = anchored(value)
  return operator === '=~' ? (text) => pattern.test(text) : (text) => !pattern.test(text)
}

/** What RE2 lacks and JavaScript has: looking around and back references. */
const NOT_IN_RE2 = /\(\?<?[=!]|\\[1-9]|\\k</

/**
 * Prometheus anchors patterns at both ends, and since version 3 lets the dot match a line feed. The RE2 spellings `(?i)`
 * at the start and `(?P<name>` are translated; nothing else differs for the patterns that select metrics.
 */
function anchored(source: string): RegExp {
  const refused = NOT_IN_RE2.exec(source.replaceAll('\\\\', '\0\0'))
  if (refused) throw new SyntaxError(`error parsing regexp: invalid or unsupported Perl syntax: \`${refused[0]}\``)
  const ignoreCase = source.startsWith('(?i)')
  const body = (ignoreCase ? source.slice(4) : source).replaceAll('(?P<', '(?<')
  try {
    return new RegExp(`^(?:${body})$`, ignoreCase ? 'si' : 's')
  } catch (error) {
    throw new SyntaxError(`error parsing regexp: ${goReason(error)}: \`${source}\``)
  }
}

function goReason(error: unknown): string {
  const reason = error instanceof Error ? error.message : ''
  if (reason.includes('Unterminated group')) return 'missing closing )'
  if (reason.includes('Unterminated character class')) return 'missing closing ]'
  if (reason.includes('Nothing to repeat')) return 'missing argument to repetition operator'
  return 'invalid syntax'
}
