import { canonicalJson } from '../../../model/digest.ts'
import { type KubeObject, refOf } from '../../../model/kube.ts'
import type { Statement } from '../../read/meaning.ts'
import { type Fields, fieldsOf, goDurationMs, listOf, present } from '../../read/values.ts'
import { ALL_PATHS } from '../http-match.ts'
import { rulesOf } from '../rule.ts'
import { backendText, type Selectors, sharesOf } from './backends.ts'

/** What the rules of a route do, each match by itself; of two that are the same the first counts. */
export function ruleStatements(route: KubeObject, selectors: Selectors, parent?: Fields): readonly Statement[] {
  const found = new Map<string, Statement>()
  for (const [index, rule] of rulesOf(route).entries()) {
    const at = { object: refOf(route), pointer: `/spec/rules/${index}` }
    const matches = Array.isArray(rule.matches) && rule.matches.length > 0 ? listOf(rule.matches) : [{}]
    for (const match of matches) {
      const key = canonicalJson(plainMatch(asHttp(route.kind, match)))
      if (!found.has(key)) found.set(key, { key, value: effectOf(rule, selectors, parent), at })
    }
  }
  return [...found.values()]
}

/** A match of a GRPCRoute by the path that its calls have; `/package.Service/Method`. */
export function asHttp(kind: string, match: Fields): Fields {
  if (kind === 'HTTPRoute' || match.method === undefined) return match
  const { method, ...more } = match
  const { type = 'Exact', service, method: call, ...rest } = fieldsOf(method)
  const isPlain = type === 'Exact' && service !== undefined && Object.keys(rest).length === 0
  if (!isPlain) return match
  const path =
    call === undefined
      ? { type: 'PathPrefix', value: `/${String(service)}` }
      : { type: 'Exact', value: `/${String(service)}/${String(call)}` }
  return { ...more, path }
}

/** With the defaults of the API written out, lists of names in order. */
export function plainMatch({ path, headers, queryParams, ...more }: Fields): Fields {
  const { type, value, ...rest } = { ...ALL_PATHS, ...fieldsOf(path) }
  const plain = type === 'PathPrefix' ? value.replace(/\/+$/, '') || '/' : value
  return present({
    ...more,
    path: { type, value: plain, ...rest },
    headers: plainValues(headers, true),
    queryParams: plainValues(queryParams, false),
  })
}

function plainValues(values: unknown, isHeader: boolean): unknown {
  const all = listOf(values).map(({ type = 'Exact', name, ...more }) => {
    return { type, name: isHeader ? String(name).toLowerCase() : name, ...more }
  })
  return all.length === 0 ? undefined : all.sort((a, b) => (canonicalJson(a) < canonicalJson(b) ? -1 : 1))
}

function effectOf(rule: Fields, selectors: Selectors, parent: Fields | undefined): Fields {
  const { matches: _, name: _n, backendRefs, filters, timeouts, ...more } = rule
  const refs = listOf(backendRefs)
  const to = refs.length === 0 && parent && !isRedirect(filters) ? [parent] : refs
  const { request, ...others } = fieldsOf(timeouts)
  const text = (ref: Fields) => backendText(ref, selectors)
  const said = refs.flatMap(({ filters }) => (filters === undefined ? [] : [filters]))
  return present({
    ...more,
    route: to.length === 0 ? undefined : sharesOf(to, text),
    backendFilters: said.length === 0 ? undefined : said,
    filters:
      listOf(filters).length === 0
        ? undefined
        : listOf(filters)
            .map((filter) => plainFilter(filter, text))
            .sort(),
    timeout: goDurationMs(request) ?? request,
    timeouts: Object.keys(others).length === 0 ? undefined : others,
  })
}

function isRedirect(filters: unknown): boolean {
  return listOf(filters).some(({ type }) => type === 'RequestRedirect')
}

function plainFilter(filter: Fields, text: (ref: Fields) => string): string {
  const { type } = filter
  if (type === 'RequestRedirect')
    return canonicalJson({ ...filter, requestRedirect: { statusCode: 302, ...fieldsOf(filter.requestRedirect) } })
  if (type !== 'RequestMirror') return canonicalJson(filter)
  const { backendRef, percent = 100, ...more } = fieldsOf(filter.requestMirror)
  return canonicalJson({ ...filter, requestMirror: { ...more, to: text(fieldsOf(backendRef)), percent } })
}
