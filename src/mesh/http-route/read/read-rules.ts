import { canonicalJson } from '../../../model/digest.ts'
import type { KubeObject } from '../../../model/kube.ts'
import { neutralCookie } from '../../istio/read/match.ts'
import type { ReadRoute } from '../../read/fold-ports.ts'
import { type Fields, fieldsOf, freeName, listOf, neutralDuration, present } from '../../read/values.ts'
import { rulesOf } from '../rule.ts'
import { type ReadVersions, sharesOf } from './backends.ts'
import { asHttp, plainMatch } from './rules-meaning.ts'

export interface ReadRules {
  readonly routes: readonly ReadRoute[]
  /** Whole per cents by version, of what no other rule takes. */
  readonly weights: Readonly<Record<string, number>>
  /** The path of that rule. */
  readonly base: string
}

/**
 * The rules of a route in the words of the policy. What takes a whole prefix, and divides requests, is the service's own split, at the
 * path `base`; rules that divide them otherwise have no words. `parent`: where requests go that name no backend.
 */
export function readRules(route: KubeObject, versions: ReadVersions, parent?: Fields): ReadRules {
  const rules = rulesOf(route).map((rule): Fields => {
    const { matches } = rule as Fields
    return matches === undefined
      ? rule
      : { ...rule, matches: listOf(matches).map((match) => asHttp(route.kind, match)) }
  })
  const whole = rules.toSorted((a, b) => baseOf(a).length - baseOf(b).length).find((rule) => baseOf(rule) !== '')
  const rest = whole ?? rules.at(-1)
  const weights = (rest && weightsOf(rest, versions, parent)) ?? {}
  const base = whole ? baseOf(whole) : '/'
  const taken = new Set<string>()
  const routes = rules.flatMap((rule, index): readonly ReadRoute[] => {
    const match = withinBase(rule, neutralMatches(rule), base)
    const isRedirect = listOf(rule.filters).some(({ type }) => type === 'RequestRedirect')
    const own = isRedirect ? weights : weightsOf(rule, versions, parent)
    if (!match || canonicalJson(own) !== canonicalJson(weights)) return []
    const settings = settingsOf(rule, versions)
    return chunks(rule === whole ? undefined : match).map((some) => {
      const name = freeName(String(rule.name ?? `route-${index + 1}`), taken)
      taken.add(name)
      return { name, match: some, settings }
    })
  })
  return { routes, weights, base }
}

/** A whole path is replaced where a route names no prefix: the one of the exposure goes without saying. */
function withinBase(rule: Fields, matches: readonly Fields[] | undefined, base: string): readonly Fields[] | undefined {
  const rewrite = listOf(rule.filters).find(({ type }) => type === 'URLRewrite')
  if (fieldsOf(fieldsOf(rewrite?.urlRewrite).path).replaceFullPath === undefined) return matches
  return matches?.map(({ path, ...match }) => (fieldsOf(path).prefix === base ? match : present({ path, ...match })))
}

/** Most matches of a route of the policy. */
const MOST = 8

function chunks(matches: readonly Fields[] | undefined): readonly (readonly Fields[] | undefined)[] {
  if (!matches) return [undefined]
  const count = Math.ceil(matches.length / MOST)
  return Array.from({ length: count }, (_, index) => matches.slice(index * MOST, (index + 1) * MOST))
}

/** The prefix of which a rule takes all requests; '' where it asks for more, or for an exact path. */
function baseOf(rule: Fields): string {
  const matches = listOf(rule.matches)
  if (matches.length > 1) return ''
  const { path, ...more } = plainMatch(matches[0] ?? {})
  const { type, value } = fieldsOf(path)
  const isRedirect = listOf(rule.filters).some((filter) => filter.type === 'RequestRedirect')
  return type === 'PathPrefix' && Object.keys(more).length === 0 && !isRedirect ? String(value) : ''
}

function weightsOf(
  rule: Fields,
  versions: ReadVersions,
  parent: Fields | undefined,
): Readonly<Record<string, number>> | undefined {
  const refs = listOf(rule.backendRefs)
  const shares = sharesOf(refs.length === 0 && parent ? [parent] : refs, ({ name }) => versions.nameOf(name) ?? '')
  const rounded = Object.entries(shares).map(([name, share]) => [name, Math.round(share)] as const)
  return rounded.length === 0 || rounded.some(([name]) => name === '') ? undefined : Object.fromEntries(rounded)
}

function neutralMatches(rule: Fields): readonly Fields[] | undefined {
  const matches = Array.isArray(rule.matches) && rule.matches.length > 0 ? listOf(rule.matches) : [{}]
  const found = matches.map((match) => {
    const { path, method, headers, queryParams, ...more } = plainMatch(match)
    if (Object.keys(more).length > 0) return undefined
    const { type, value } = fieldsOf(path)
    const paths: Fields = {
      Exact: { exact: value },
      PathPrefix: { prefix: value },
      RegularExpression: { regex: value },
    }
    return present({
      path: paths[String(type)],
      methods: method === undefined ? undefined : [method],
      ...headersOf(headers),
      query: textsOf(queryParams),
    })
  })
  return found.includes(undefined) ? undefined : byMethods(found as readonly Fields[])
}

/** Neighbours that differ in their method alone are one match with all of them. */
function byMethods(matches: readonly Fields[]): readonly Fields[] {
  const merged: Fields[] = []
  for (const match of matches) {
    const last = merged.at(-1)
    const [{ methods: before, ...a }, { methods: own, ...b }] = [last ?? {}, match]
    const isSame = Array.isArray(before) && Array.isArray(own) && canonicalJson(a) === canonicalJson(b)
    if (isSame) merged.splice(-1, 1, { ...match, methods: [...new Set([...before, ...own])] })
    else merged.push(match)
  }
  return merged
}

function headersOf(headers: unknown): Fields {
  const { cookie, ...named } = textsOf(headers) ?? {}
  const read = cookie === undefined ? undefined : neutralCookie(cookie)
  // The schema refuses a cookie among headers: so a pattern without words is told.
  const rest = cookie === undefined || read ? named : { ...named, cookie }
  return { headers: Object.keys(rest).length === 0 ? undefined : rest, cookie: read }
}

function textsOf(values: unknown): Fields | undefined {
  if (values === undefined) return undefined
  return Object.fromEntries(
    listOf(values).map(({ type, name, value }) => [
      String(name),
      type === 'Exact' ? { exact: value } : { regex: value },
    ]),
  )
}

function settingsOf(rule: Fields, versions: ReadVersions): Fields {
  const filters = listOf(rule.filters)
  const filter = (type: string, field: string) => {
    const found = filters.find((one) => one.type === type)
    return found && fieldsOf(found[field])
  }
  const [redirect, rewrite, mirror] = [
    filter('RequestRedirect', 'requestRedirect'),
    filter('URLRewrite', 'urlRewrite'),
    filter('RequestMirror', 'requestMirror'),
  ]
  if (redirect) {
    const { scheme, hostname, port, path, statusCode = 302 } = redirect
    return {
      redirect: present({ scheme, host: hostname, port, path: fieldsOf(path).replaceFullPath, status: statusCode }),
    }
  }
  const { request } = fieldsOf(rule.timeouts)
  const path = fieldsOf(rewrite?.path)
  const version = mirror && versions.nameOf(fieldsOf(mirror.backendRef).name)
  return present({
    timeout: request === undefined || request === '0s' ? undefined : neutralDuration(request),
    mirror: version === undefined ? undefined : { version, percent: mirror?.percent ?? 100 },
    rewrite: rewrite && present({ path: path.replaceFullPath ?? path.replacePrefixMatch, host: rewrite.hostname }),
  })
}
