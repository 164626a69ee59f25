import type { KubeObject } from '../../model/kube.ts'
import type { AuthorizationRule } from '../../model/policy/security.ts'
import { markedMetadata } from '../marks.ts'
import type { RenderInput } from '../provider.ts'
import { HTTP_ROUTE_GROUP, TRAFFIC_TARGET } from './names.ts'

/**
 * Who may call, where the policy says so: the requests by name in one group, then for each service account of the versions
 * and each rule one TrafficTarget. Nobody else gets in, as long as the mesh's permissive mode is off.
 */
export function accessObjects(input: RenderInput): readonly KubeObject[] {
  const { allow } = input.policy.security?.authorization ?? {}
  if (!allow || allow.length === 0) return []
  const group: KubeObject = {
    ...HTTP_ROUTE_GROUP,
    metadata: markedMetadata(input),
    spec: { matches: allow.flatMap(matchesOf) },
  }
  return [
    group,
    ...serviceAccounts(input).flatMap((account) => allow.map((rule) => trafficTarget(input, account, rule))),
  ]
}

/** Of the Pods of all versions, each once. */
export function serviceAccounts({ spec }: Pick<RenderInput, 'spec'>): readonly string[] {
  const all = Object.values(spec.versions).flatMap(({ serviceAccount }) => serviceAccount ?? [])
  return [...new Set(all)].sort()
}

function trafficTarget(input: RenderInput, account: string, rule: AuthorizationRule): KubeObject {
  const { namespace, name } = input
  const metadata = markedMetadata(input)
  return {
    ...TRAFFIC_TARGET,
    metadata: { ...metadata, name: `${name}.${account}.${rule.name}` },
    spec: {
      destination: { kind: 'ServiceAccount', name: account, namespace },
      sources: (rule.serviceAccounts ?? []).map((source) => {
        const [from = '', caller = ''] = source.split('/')
        return { kind: 'ServiceAccount', name: caller, namespace: from }
      }),
      rules: [{ kind: HTTP_ROUTE_GROUP.kind, name, matches: matchesOf(rule).map((match) => match.name) }],
    },
  }
}

function matchesOf({ name, paths, methods }: AuthorizationRule) {
  const more = { methods: methods ?? ['*'] }
  if (!paths) return [{ name, pathRegex: '.*', ...more }]
  return paths.map((path, index) => ({ name: `${name}.${index}`, pathRegex: patternOf(path), ...more }))
}

/** A pattern for the whole path, without its query. */
function patternOf(path: string): string {
  return path.endsWith('*') ? `${literally(path.slice(0, -1))}.*` : literally(path)
}

function literally(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}
