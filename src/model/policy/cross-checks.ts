import type { Policy } from './policy.ts'

/** A field that names what the service does not have. */
export interface UnknownName {
  readonly path: readonly (string | number)[]
  readonly message: string
}

/** Versions and ports that a policy names and the service does not have. */
export function unknownNames(
  { traffic, security, exposure }: Partial<Pick<Policy, 'traffic' | 'security' | 'exposure'>>,
  versions: Readonly<Record<string, unknown>>,
  ports: readonly { readonly name: string }[],
): readonly UnknownName[] {
  const unknown: UnknownName[] = []
  const version = (name: string | undefined, ...path: (string | number)[]) => {
    if (name !== undefined && !Object.hasOwn(versions, name)) unknown.push({ path, message: 'must be one of versions' })
  }
  const port = (names: readonly string[] | undefined, ...path: (string | number)[]) => {
    for (const [index, name] of (names ?? []).entries()) {
      if (ports.some((known) => known.name === name)) continue
      unknown.push({ path: [...path, index], message: 'must be the name of a port of the service' })
    }
  }
  version(traffic?.mirror?.version, 'traffic', 'mirror', 'version')
  for (const [index, route] of (traffic?.routes ?? []).entries()) {
    version(route.mirror?.version, 'traffic', 'routes', index, 'mirror', 'version')
    port(route.ports, 'traffic', 'routes', index, 'ports')
  }
  for (const list of ['allow', 'deny'] as const) {
    for (const [index, rule] of (security?.authorization?.[list] ?? []).entries())
      port(rule.ports, 'security', 'authorization', list, index, 'ports')
  }
  for (const [index, one] of (exposure ?? []).entries()) {
    if (one.port === undefined || ports.some(({ name }) => name === one.port)) continue
    unknown.push({ path: ['exposure', index, 'port'], message: 'must be the name of a port of the service' })
  }
  return unknown
}
