import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Absolute paths of the programs and files that a real cluster is made of. */
export interface Parts {
  readonly etcd: string
  readonly kubeApiServer: string
  readonly istiod: string
  readonly pilotAgent: string
  readonly envoy: string
  /** Istio's template for Envoy's start-up configuration. */
  readonly envoyBootstrap: string
  /** All CRDs of Istio in one YAML file. */
  readonly istioCrds: string
  /** Those of Open Service Mesh, and of SMI as it serves them. */
  readonly osmCrds: string
  readonly prometheus: string
  readonly openssl: string
}

/** The parts, or the reason why they cannot be had, in one line. */
export type FoundParts = { readonly ok: true; readonly parts: Parts } | { readonly ok: false; readonly missing: string }

/** The folder in which the parts are built and kept between runs: `REAL`, else `real-cluster` in the user's cache folder. */
export function partsFolder(): string {
  return process.env.REAL ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'real-cluster')
}

/** Looks for the parts; builds and installs nothing. */
export function findParts(): FoundParts {
  const folder = partsFolder()
  const parts: Parts = {
    etcd: join(folder, 'bin/etcd'),
    kubeApiServer: join(folder, 'bin/kube-apiserver'),
    istiod: join(folder, 'bin/pilot-discovery'),
    pilotAgent: join(folder, 'bin/pilot-agent'),
    envoy: join(folder, 'bin/envoy'),
    envoyBootstrap: join(folder, 'envoy_bootstrap.json'),
    istioCrds: join(folder, 'istio-crds.yaml'),
    osmCrds: join(folder, 'osm-crds.yaml'),
    prometheus: programPath('prometheus'),
    openssl: programPath('openssl'),
  }
  const missing = Object.values(parts).filter((path) => !readable(path))
  return missing.length === 0 ? { ok: true, parts } : { ok: false, missing: `not there: ${missing.join(', ')}` }
}

/**
 * Builds and installs what is missing or of another version (build.sh: minutes when cold, so call it before tests and with a network),
 * and finds the parts. The build's own words go to stderr.
 */
export function ensureParts(): FoundParts {
  const script = join(dirname(dirname(fileURLToPath(import.meta.url))), 'build.sh')
  const built = spawnSync('bash', [script], {
    stdio: ['ignore', 'inherit', 'pipe'],
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  if (built.status !== 0) {
    const lines = (built.stderr ?? '').trim().split('\n')
    return { ok: false, missing: built.error?.message ?? lines.slice(-3).join('; ') }
  }
  return findParts()
}

function programPath(name: string): string {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/bin', '/usr/local/bin']
  return folders.map((folder) => join(folder, name)).find(readable) ?? join('/usr/bin', name)
}

function readable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK)
    return true
  } catch {
    return false
  }
}
