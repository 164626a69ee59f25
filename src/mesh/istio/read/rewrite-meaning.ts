import { type Fields, fieldsOf, present } from '../../read/values.ts'
import { literally } from '../request-match.ts'

/** What becomes of the path and the host of a request that a match by `uri` takes. */
export function plainRewrite(rewrite: Fields, uri: Fields | undefined): Fields {
  const { uri: to, authority, uriRegexRewrite, ...more } = rewrite
  const path = to === undefined ? byPattern(fieldsOf(uriRegexRewrite), uri) : byText(to, uri)
  const isAsked = to !== undefined || uriRegexRewrite !== undefined
  return present({ authority, path: isAsked ? (path ?? { to, uriRegexRewrite }) : undefined, ...more })
}

/** Istio replaces what the match names: the whole path, or its prefix of characters. */
function byText(to: unknown, uri: Fields | undefined): Fields | undefined {
  const { exact, prefix } = fieldsOf(uri)
  if (typeof exact === 'string') return { whole: to }
  return typeof prefix === 'string' ? { of: prefix, prefix: to } : undefined
}

/** Patterns as Meshwright writes them; those of others stay patterns. */
function byPattern({ match, rewrite, ...more }: Fields, uri: Fields | undefined): Fields | undefined {
  if (typeof match !== 'string' || typeof rewrite !== 'string' || rewrite.includes('\\')) return undefined
  if (Object.keys(more).length > 0) return undefined
  const { exact, prefix, regex } = fieldsOf(uri)
  if (match === '^/.*$') return { whole: rewrite }
  const found = /^\^(?<from>(?:[^\\^$.*+?()[\]{}|]|\\.)*)(?<slash>\/\?)?$/.exec(match)?.groups
  if (!found || regex !== undefined) return undefined
  const from = (found.from ?? '').replaceAll(/\\(.)/g, '$1')
  if (literally(from) !== found.from) return undefined
  const cut = (path: string) => {
    const rest = path.slice(from.length)
    return `${rewrite}${found.slash && rest.startsWith('/') ? rest.slice(1) : rest}`
  }
  if (typeof exact === 'string') return exact.startsWith(from) ? { whole: cut(exact) } : undefined
  // Where the prefix ends before the pattern does, what follows decides.
  const named = typeof prefix === 'string' ? prefix : '/'
  return named.startsWith(from) && named.endsWith('/') ? { of: named, prefix: cut(named) } : undefined
}
