import type { SyntaxNode, Tree } from '@lezer/common'
import { ParseError } from './query-error.ts'

/**
 * Throws ParseError for the first place where a text leaves the grammar, in words as near to Prometheus' own as one can get:
 * its parser is another one, so the column and the class of mistake are the same, the list of what was expected is not.
 */
export function refuseSyntaxErrors(text: string, tree: Tree): void {
  if (text.replaceAll(/#.*$/gm, '').trim() === '') throw new ParseError(text, 0, 'no expression found in input')
  const error = firstError(tree)
  if (error === undefined) return
  const call = /([a-zA-Z_:][\w:]*)\s*$/.exec(text.slice(0, text.indexOf('(', error.from)))
  const opensCall = call !== null && text.slice(error.from).trimStart().startsWith('(')
  if (opensCall) throw new ParseError(text, call.index, `unknown function with name "${call[1]}"`)
  const brackets = /\[[^\]]*$/.exec(text.slice(0, error.from))
  if (brackets && ancestors(error).includes('MatrixSelector')) {
    throw new ParseError(text, brackets.index + 1, `bad duration syntax: "${text.slice(brackets.index + 1, error.to)}"`)
  }
  const offset = error.from + (text.slice(error.from).length - text.slice(error.from).trimStart().length)
  // Prometheus' lexer has already stepped over a parenthesis when it finds that it closes nothing.
  if (text[offset] === ')') throw new ParseError(text, offset + 1, "unexpected right parenthesis ')'")
  throw new ParseError(text, offset, offset >= text.length ? endReason(error) : unexpected(text, offset, error))
}

function firstError(tree: Tree): SyntaxNode | undefined {
  let found: SyntaxNode | undefined
  tree.iterate({
    enter(ref) {
      if (ref.type.isError && (found === undefined || ref.from < found.from)) found = ref.node
    },
  })
  return found
}

const PARENTHESES = new Set(['FunctionCallBody', 'ParenExpr', 'GroupingLabels'])

function endReason(error: SyntaxNode): string {
  if (ancestors(error).some((name) => name === 'LabelMatchers')) return 'unexpected end of input inside braces'
  const unclosed = ancestors(error).some((name) => PARENTHESES.has(name))
  return unclosed ? 'unclosed left parenthesis' : 'unexpected end of input'
}

function ancestors(node: SyntaxNode): string[] {
  const names: string[] = []
  for (let parent = node.parent; parent !== null; parent = parent.parent) names.push(parent.name)
  return names
}

function unexpected(text: string, offset: number, error: SyntaxNode): string {
  const where = ancestors(error).includes('LabelMatchers') ? ' in label matching' : ''
  const rest = text.slice(offset)
  const word = /^[a-zA-Z_:][\w:]*/.exec(rest)?.[0]
  if (word !== undefined) return `unexpected identifier "${word}"${where}`
  const number = /^[\d.]+\w*/.exec(rest)?.[0]
  if (number !== undefined) return `unexpected number "${number}"${where}`
  const string = /^(["'`]).*?\1/s.exec(rest)?.[0]
  if (string !== undefined) return `unexpected string ${JSON.stringify(string)}${where}`
  const character = rest[0] ?? ''
  if (where !== '') return `unexpected "${character}"${where}`
  return /[-+*/%^=!<>]/.test(character) ? `unexpected <op:${character}>` : `unexpected character: '${character}'`
}
