import type { KubeConfig } from '@kubernetes/client-node'
import { PortError } from '../../ports/port-error.ts'

export interface KubeconfigSource {
  /** The kubeconfig's text, YAML or JSON. */
  readonly text: string
  /** Where relative paths of certificates in it start. */
  readonly folder?: string
}

/**
 * The kubeconfig with `context` as its current one. Throws PortError `invalid` (reason `Kubeconfig`, `UnknownContext`)
 * or `denied` (reason `ExecRefused`, `AuthProviderRefused`): a user that runs a program or calls a login service would
 * have this process run it, with all that it may do. Tokens, client certificates and passwords are taken.
 */
export async function loadContext(source: KubeconfigSource, context: string, system: string): Promise<KubeConfig> {
  const { KubeConfig } = await import('@kubernetes/client-node')
  const config = new KubeConfig()
  try {
    config.loadFromString(source.text)
    if (source.folder !== undefined) config.makePathsAbsolute(source.folder)
  } catch {
    // The parser's own words may quote the file, and with it a token.
    throw new PortError('invalid', system, 'the kubeconfig cannot be read', { reason: 'Kubeconfig' })
  }
  const found = config.getContexts().find(({ name }) => name === context)
  if (found === undefined) {
    throw new PortError('invalid', system, `the kubeconfig has no context ${context}`, { reason: 'UnknownContext' })
  }
  config.setCurrentContext(context)
  const cluster = config.getClusters().find(({ name }) => name === found.cluster)
  const user = config.getUsers().find(({ name }) => name === found.user)
  if (cluster === undefined || user === undefined) {
    const message = `context ${context} of the kubeconfig names a cluster or user that is not in it`
    throw new PortError('invalid', system, message, { reason: 'Kubeconfig' })
  }
  refuseProgram(user, context, system)
  return config
}

function refuseProgram(user: { exec?: unknown; authProvider?: unknown }, context: string, system: string): void {
  if (user.exec) {
    const message = `the user of context ${context} runs a program to sign in; give one with a token or a certificate`
    throw new PortError('denied', system, message, { reason: 'ExecRefused' })
  }
  if (user.authProvider) {
    const message = `the user of context ${context} has an auth-provider; give one with a token or a certificate`
    throw new PortError('denied', system, message, { reason: 'AuthProviderRefused' })
  }
}
