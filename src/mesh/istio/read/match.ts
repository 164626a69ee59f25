import { canonicalJson } from '../../../model/digest.ts'
import { HTTP_METHODS } from '../../../model/policy/request-match.ts'
import { type Fields, fieldsOf, isMap, present } from '../../read/values.ts'
import { literally } from '../request-match.ts'

/** A match of an http route, for one method at most, in the one form that all of its writings share. */
export interface PlainMatch {
  readonly key: string
  /** The path as it was written: what a rewrite replaces depends on it. */
  readonly uri: Fields | undefined
}

/** The requests that a match takes, for each method by itself. What is said of ports and of the mesh gateway is left out. */
export function plainMatches(match: Fields): readonly PlainMatch[] {
  const { uri, method, headers, queryParams, port: _, name: _n, gateways: _g, ...more } = match
  const rest = present({
    uri: plainUri(uri),
    headers: plainTexts(lowerCase(headers)),
    queryParams: plainTexts(queryParams),
    ...more,
  })
  const methods = methodsOf(method)
  const all = methods ? methods.map((one) => ({ ...rest, method: one })) : [{ ...rest, ...(method ? { method } : {}) }]
  return all.map((one) => ({ key: canonicalJson(one), uri: isMap(uri) ? uri : undefined }))
}

/** A prefix of characters is a pattern; what fits every path says nothing. */
function plainUri(uri: unknown): unknown {
  if (uri === undefined) return undefined
  const { exact, prefix, regex, ...more } = fieldsOf(uri)
  if (Object.keys(more).length > 0) return uri
  if (typeof prefix === 'string')
    return prefix === '/' || prefix === '' ? undefined : { regex: `${literally(prefix)}.*` }
  if (regex === '.*' || regex === '/.*') return undefined
  return present({ exact, regex })
}

/** A header or parameter that must only be there is one with any value. */
function plainTexts(texts: unknown): unknown {
  const entries = Object.entries(fieldsOf(texts))
  if (entries.length === 0) return undefined
  return Object.fromEntries(entries.map(([name, text]) => [name, plainText(text)]))
}

/** Names of headers have no case. */
function lowerCase(headers: unknown): Fields {
  return Object.fromEntries(Object.entries(fieldsOf(headers)).map(([name, text]) => [name.toLowerCase(), text]))
}

function plainText(text: unknown): unknown {
  return isMap(text) && Object.keys(text).length === 0 ? { regex: '.*' } : text
}

/** GET of `{ exact: GET }`, GET and HEAD of `{ regex: GET|HEAD }`; undefined: anything else. */
export function methodsOf(method: unknown): readonly string[] | undefined {
  const { exact, regex, ...more } = fieldsOf(method)
  if (Object.keys(more).length > 0) return undefined
  const named = typeof exact === 'string' ? [exact] : typeof regex === 'string' ? regex.split('|') : []
  const isKnown = named.every((one) => (HTTP_METHODS as readonly string[]).includes(one))
  return named.length > 0 && isKnown ? [...new Set(named)] : undefined
}

/**
 * Matches in the words of a policy's route. `/a` and all below `/a/`, as two matches, are a prefix of whole segments; a prefix of
 * characters alone is a pattern. Undefined: one of them has no words.
 */
export function neutralMatches(matches: readonly Fields[]): readonly Fields[] | undefined {
  const found: Fields[] = []
  for (const [index, match] of matches.entries()) {
    if (isBelow(match, matches[index - 1])) continue
    const path = segments(match, matches[index + 1]) ?? neutralPath(match.uri)
    const rest = neutralRest(match)
    if (path === 'unsayable' || !rest) return undefined
    found.push(present({ path, ...rest }))
  }
  return found
}

/** `/a` where the next match, else the same, is for all below `/a/`. */
function segments(match: Fields, next: Fields | undefined): Fields | undefined {
  const { exact } = fieldsOf(match.uri)
  return typeof exact === 'string' && next && isBelow(next, match) ? { prefix: exact } : undefined
}

function isBelow(match: Fields, before: Fields | undefined): boolean {
  if (!before) return false
  const [{ exact }, { prefix }] = [fieldsOf(before.uri), fieldsOf(match.uri)]
  const { uri: _, ...own } = match
  const { uri: __, ...other } = before
  return typeof exact === 'string' && prefix === `${exact}/` && canonicalJson(own) === canonicalJson(other)
}

function neutralPath(uri: unknown): Fields | undefined | 'unsayable' {
  if (uri === undefined) return undefined
  const plain = plainUri(uri)
  if (plain === undefined) return { prefix: '/' }
  const { exact, regex, ...more } = fieldsOf(plain)
  if (Object.keys(more).length > 0 || (exact === undefined && regex === undefined)) return 'unsayable'
  return present({ exact, regex })
}

function neutralRest({ uri: _, method, headers, queryParams, port: _p, name: _n, gateways: _g, ...more }: Fields) {
  if (Object.keys(more).length > 0) return undefined
  const methods = methodsOf(method)
  if (method !== undefined && !methods) return undefined
  const { cookie, ...named } = fieldsOf(plainTexts(lowerCase(headers)))
  const read = cookie === undefined ? undefined : neutralCookie(cookie)
  if (cookie !== undefined && !read) return undefined
  return present({
    methods,
    headers: Object.keys(named).length === 0 ? undefined : named,
    cookie: read,
    query: plainTexts(queryParams),
  })
}

/** As `cookiesMatch` writes one cookie. Patterns of others mean something else where a space stands behind a `;`. */
const COOKIE = /^\(\.\*;\\s\*\)\?(?<name>(?:[^=\\()]|\\.)+)=(?<value>(?:[^;\\()[\]]|\\.)*|\[\^;\]\*)\(\\s\*;\.\*\)\?$/

/** The cookie that a pattern for the header asks for, as Meshwright writes it; undefined: it asks for something else. */
export function neutralCookie(text: unknown): Fields | undefined {
  const { regex } = fieldsOf(text)
  const groups = typeof regex === 'string' ? COOKIE.exec(regex)?.groups : undefined
  if (!groups?.name || groups.value === undefined) return undefined
  const plain = (escaped: string) => escaped.replaceAll(/\\(.)/g, '$1')
  return { name: plain(groups.name), ...(groups.value === '[^;]*' ? {} : { value: plain(groups.value) }) }
}
