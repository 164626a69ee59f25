/** A request for objects: what its path names. */
export interface ResourcePath {
  readonly group: string
  readonly version: string
  readonly plural: string
  /** Empty for all namespaces and for types without. */
  readonly namespace: string
  /** Empty for the whole collection. */
  readonly name: string
  readonly subresource: string
}

/**
 * `/api/v1/…` and `/apis/{group}/{version}/…`; undefined for every other path. A namespace by name lies in itself, as
 * authorization sees it.
 */
export function readResourcePath(pathname: string): ResourcePath | undefined {
  const [root, ...rest] = pathname.split('/').filter(Boolean).map(decoded)
  if (root !== 'api' && root !== 'apis') return undefined
  const group = root === 'apis' ? (rest.shift() ?? '') : ''
  const [version = '', ...steps] = rest
  if (!version || steps.length === 0) return undefined
  const inNamespace = steps[0] === 'namespaces' && steps.length > 2 && !namespaceSubresources.includes(steps[2] ?? '')
  const namespace = inNamespace ? (steps[1] ?? '') : ''
  const [plural = '', name = '', subresource = ''] = inNamespace ? steps.slice(2) : steps
  if (steps.length > (inNamespace ? 5 : 3)) return undefined
  const own = group === '' && plural === 'namespaces' ? name : namespace
  return { group, version, plural, namespace: own, name, subresource }
}

/** A step that is badly encoded stays as it is: nothing bears such a name. */
function decoded(step: string): string {
  try {
    return decodeURIComponent(step)
  } catch {
    return step
  }
}

const namespaceSubresources = ['status', 'finalize']

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection'

/** The verb of a request for objects; undefined when the method is none for that path. */
export function verbOf(method: string, path: ResourcePath, query: URLSearchParams): Verb | undefined {
  const watched = ['1', 'true'].includes(query.get('watch') ?? '')
  if (method === 'GET' && watched) return 'watch'
  if (method === 'GET') return path.name ? 'get' : 'list'
  if (method === 'DELETE') return path.name ? 'delete' : 'deletecollection'
  if (method === 'POST') return 'create'
  if (method === 'PUT') return 'update'
  if (method === 'PATCH') return 'patch'
  return undefined
}

/** Whether the API server answers the verb on that path at all. */
export function isAllowed(verb: Verb, path: ResourcePath, namespaced: boolean): boolean {
  if (path.subresource) return path.name !== '' && ['get', 'update', 'patch'].includes(verb)
  if (['get', 'update', 'patch', 'delete'].includes(verb)) return path.name !== ''
  if (path.name) return verb === 'watch'
  return verb === 'list' || verb === 'watch' || !namespaced || path.namespace !== ''
}
