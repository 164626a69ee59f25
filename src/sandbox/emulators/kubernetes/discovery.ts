import type { JsonObject } from './json.ts'
import type { Registry } from './registry.ts'
import { isBuiltInGroup } from './registry.ts'
import type { ResourceType } from './resource-type.ts'
import { apiVersionOf } from './resource-type.ts'
import { noSuchPath, noSuchResource } from './status.ts'

const objectVerbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']
const statusVerbs = ['get', 'patch', 'update']
/** The group of access reviews, which has no objects. */
const authorization = { group: 'authorization.k8s.io', version: 'v1' }

/**
 * What the API server says of itself at a path that names no objects: versions, groups and resources.
 * Throws KubernetesError 404 for any other path.
 */
export function discover(registry: Registry, gitVersion: string, pathname: string): JsonObject | string {
  const path = pathname.replace(/\/$/, '')
  if (path === '/version') return versionOf(gitVersion)
  if (['/healthz', '/livez', '/readyz'].includes(path)) return 'ok'
  if (path === '/api') return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] }
  if (path === '/apis') {
    const groups = groupsOf(registry).map((group) => groupOf(registry, group))
    return { kind: 'APIGroupList', apiVersion: 'v1', groups }
  }
  const [, root = '', group = '', version] = path.split('/')
  if (root === 'api') return resourcesOf(registry, '', group)
  if (root !== 'apis') throw noSuchPath()
  if (version !== undefined) return resourcesOf(registry, group, version)
  if (!groupsOf(registry).includes(group)) throw noSuchPath()
  return { kind: 'APIGroup', apiVersion: 'v1', ...groupOf(registry, group) }
}

function versionOf(gitVersion: string): JsonObject {
  const [major = '', minor = ''] = gitVersion.replace(/^v/, '').split('.')
  return { major, minor, gitVersion, platform: 'linux/amd64' }
}

function groupsOf(registry: Registry): string[] {
  const served = registry.all().map(({ group }) => group)
  return [...new Set([...served, authorization.group])].filter(Boolean)
}

function groupOf(registry: Registry, group: string): JsonObject {
  const served = [...registry.all(), authorization].filter((type) => type.group === group)
  const names = [...new Set(served.map(({ version }) => version))].sort(compareVersions)
  const versions = names.map((version) => ({ groupVersion: `${group}/${version}`, version }))
  return { name: group, versions, ...(versions[0] ? { preferredVersion: versions[0] } : {}) }
}

function resourcesOf(registry: Registry, group: string, version: string): JsonObject {
  const types = registry.all().filter((type) => type.group === group && type.version === version)
  const reviews = group === authorization.group && version === authorization.version
  if (types.length === 0 && !reviews) throw isBuiltInGroup(registry, group) ? noSuchResource() : noSuchPath()
  return {
    kind: 'APIResourceList',
    ...(group ? { apiVersion: 'v1' } : {}),
    groupVersion: apiVersionOf({ group, version }),
    resources: [...types.flatMap(entriesOf), ...(reviews ? [accessReview] : [])],
  }
}

const accessReview: JsonObject = {
  name: 'selfsubjectaccessreviews',
  singularName: 'selfsubjectaccessreview',
  namespaced: false,
  kind: 'SelfSubjectAccessReview',
  verbs: ['create'],
}

function entriesOf(type: ResourceType): JsonObject[] {
  const { plural, singular, namespaced, kind, shortNames = [], categories = [] } = type
  const verbs = kind === 'Namespace' ? objectVerbs.filter((verb) => verb !== 'deletecollection') : objectVerbs
  const entry: JsonObject = {
    name: plural,
    singularName: singular,
    namespaced,
    kind,
    verbs: [...verbs],
    ...(shortNames.length > 0 ? { shortNames: [...shortNames] } : {}),
    ...(categories.length > 0 ? { categories: [...categories] } : {}),
  }
  if (!type.status) return [entry]
  return [entry, { name: `${plural}/status`, singularName: '', namespaced, kind, verbs: [...statusVerbs] }]
}

/** `v2` before `v1` before `v1beta1` before `v1alpha3`. */
function compareVersions(left: string, right: string): number {
  const rank = (version: string): number[] => {
    const [, major = '0', stage, minor = '0'] = /^v(\d+)(alpha|beta)?(\d+)?$/.exec(version) ?? []
    return [stage === undefined ? 2 : Number(stage === 'beta'), Number(major), Number(minor)]
  }
  const [a, b] = [rank(left), rank(right)]
  return (b[0] ?? 0) - (a[0] ?? 0) || (b[1] ?? 0) - (a[1] ?? 0) || (b[2] ?? 0) - (a[2] ?? 0)
}
