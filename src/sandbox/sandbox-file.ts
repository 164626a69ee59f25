import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { EntraEmulator } from './emulators/entra/entra.ts'
import type { HookSecrets } from './hook-secrets.ts'
import { SANDBOX_PEOPLE, type SandboxPerson } from './identities.ts'

/** What `sandbox.json` holds. */
export interface SandboxFile {
  readonly baseUrl: string
  readonly tokens: Readonly<Record<SandboxPerson, string>>
  /** Secrets by which callers of `/hooks/…` prove themselves, and by which webhooks are signed. */
  readonly hooks: HookSecrets
  readonly dashboard: string
  readonly docs: string
  /** Base URL of receivers of webhooks: add any name. */
  readonly webhooks: string
  /** Controls the simulated traffic; absent with a real cluster. */
  readonly world?: string
  /** Kubeconfig of the emulated clusters, or the given one. */
  readonly kubeconfig: string
  /** Base URL of the emulated clusters' Prometheus: add the cluster's name. Absent with a real cluster. */
  readonly prometheus?: string
}

/** Where the parts of a running sandbox are. */
export interface SandboxPlaces {
  readonly baseUrl: string
  readonly hooks: HookSecrets
  readonly kubeconfig: string
  /** Of the sandbox's other services. */
  readonly servicesUrl: string
  /** The clusters are emulated. */
  readonly emulated: boolean
}

/** Issues a token for each role and writes `sandbox.json`, for its owner's eyes only. */
export async function writeSandboxFile(
  folder: string,
  entra: EntraEmulator,
  { baseUrl, hooks, kubeconfig, servicesUrl, emulated }: SandboxPlaces,
): Promise<SandboxFile> {
  const tokens = await Promise.all(
    Object.entries(SANDBOX_PEOPLE).map(async ([name, subject]) => [name, await entra.issueToken(subject)] as const),
  )
  const file: SandboxFile = {
    baseUrl,
    tokens: Object.fromEntries(tokens) as SandboxFile['tokens'],
    hooks,
    dashboard: `${baseUrl}/`,
    docs: `${baseUrl}/docs`,
    kubeconfig,
    webhooks: `${servicesUrl}/webhooks`,
    ...(emulated ? { world: `${servicesUrl}/world`, prometheus: `${servicesUrl}/prometheus` } : {}),
  }
  writeFileSync(join(folder, 'sandbox.json'), `${JSON.stringify(file, null, 2)}\n`, { mode: 0o600 })
  return file
}
