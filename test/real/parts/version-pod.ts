import { join } from 'node:path'
import { type RunningProcess, startProcess } from './processes.ts'
import type { SidecarPod } from './sidecar.ts'
import type { Site } from './site.ts'

/** One version of a service: a Pod, and the application in it. */
export interface VersionPod {
  readonly name: string
  readonly pod: SidecarPod
  /** Both on 127.0.0.1. */
  readonly appPort: number
  readonly controlPort: number
}

/** Where a version stands; `index` tells versions of one site apart, 0 to 7. */
export function versionPodAt(
  site: Site,
  of: { namespace: string; service: string; name: string; serviceAccount: string },
  index: number,
): VersionPod {
  const { namespace, service, name, serviceAccount } = of
  const pod = {
    namespace,
    name: `${service}-${name}`,
    serviceAccount,
    address: site.pod(11 + index),
    labels: { app: service, version: name },
    adminPort: site.port(15_200 + 10 * index),
  }
  return { name, pod, appPort: site.port(9811 + index), controlPort: site.port(9911 + index) }
}

/** Starts the application of a version (web-app.ts). */
export function startApp({ name, pod, appPort, controlPort }: VersionPod, dir: string): RunningProcess {
  const program = join(import.meta.dirname, 'web-app.ts')
  const args = [program, name, String(appPort), String(controlPort)]
  return startProcess({ dir, name: `app-${pod.name}`, command: process.execPath, args })
}

/** Asks the application of a version, besides its sidecar. */
export async function controlApp<T>({ name, controlPort }: VersionPod, method: string, body?: object): Promise<T> {
  const answer = await fetch(`http://127.0.0.1:${controlPort}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  if (!answer.ok) throw new Error(`version ${name} did not take ${method} ${JSON.stringify(body)}: ${answer.status}`)
  return (await answer.json()) as T
}
