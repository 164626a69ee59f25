import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isTerminal } from '../../model/rollout.ts'
import { SANDBOX_GROUP } from '../identities.ts'
import type { SandboxFile } from '../sandbox-file.ts'
import { rotateCertificate } from './certificate-job.ts'
import { drawRollout, type RolloutShown, tellRollout } from './picture.ts'
import { type Rest, restAt } from './rest.ts'
import type { Screen } from './screen.ts'

const CLUSTERS = ['east', 'west']
const SERVICE = '/services/shop/web'
const REQUESTS_PER_SECOND = 200
const BAD_PERCENT = 10
const GOOD_PERCENT = 0.1
/** A release as a pipeline asks for it, but short. The judge's alpha is the product's own: 1 % for the whole rollout. */
const RELEASE = {
  steps: [
    { weight: 10, for: '4s' },
    { weight: 50, for: '4s' },
  ],
  bake: '4s',
  gates: [{ kind: 'errors', limitPercent: 1 }],
}
const LOOK_EVERY_MS = 250
const ROLLOUT_PATIENCE_MS = 60_000
const REGISTER_PATIENCE_MS = 30_000

interface Run {
  readonly meshwright: Rest
  /** What is not Meshwright: the pods on the clusters and the requests of users. */
  readonly world: Rest
  readonly screen: Screen
  readonly prometheus: string
  readonly signal: AbortSignal
}

/**
 * The main job: registers clusters and a service, promotes a good candidate, lets a gate roll back a bad one, and rotates a
 * gateway's certificate. The evidence of the rollback is drawn into `picture`, a file. Throws with the reason when it comes
 * out otherwise; answers the lines that say how it went.
 */
export async function doMainJob(
  file: SandboxFile,
  screen: Screen,
  picture: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const run: Run = {
    meshwright: restAt(`${file.baseUrl}/api/v1`, file.tokens.admin, signal),
    world: restAt(file.world ?? '', undefined, signal),
    screen,
    prometheus: file.prometheus ?? '',
    signal,
  }
  await startTraffic(run)
  await register(run)
  await deploy(run, 'v2', GOOD_PERCENT)
  const good = await release(run, 'v2')
  await expectEnd(run, good, 'succeeded')
  await deploy(run, 'v3', BAD_PERCENT)
  const bad = await release(run, 'v3')
  await expectEnd(run, bad, 'rolled-back')
  await keepEvidence(run, bad, picture)
  const rotated = await rotateCertificate({ ...run, clusters: CLUSTERS })
  return [
    `promoted: v2 gets all requests on ${CLUSTERS.join(' and ')}`,
    `rolled back: ${bad.message}`,
    `its evidence, as a picture: ${picture}`,
    rotated,
  ]
}

/** What the decision rests on, to look at after the demo is gone. */
async function keepEvidence({ meshwright }: Run, { id }: RolloutShown, picture: string): Promise<void> {
  const svg = await meshwright.text(`/rollouts/${id}/evidence?format=svg`)
  mkdirSync(dirname(picture), { recursive: true })
  writeFileSync(picture, svg)
}

async function startTraffic({ world }: Run): Promise<void> {
  const demand = { requestsPerSecond: REQUESTS_PER_SECOND }
  for (const cluster of CLUSTERS) await world.call('PUT', `/clusters/${cluster}${SERVICE}/demand`, demand)
}

async function register({ meshwright, screen, prometheus, signal }: Run): Promise<void> {
  await meshwright.call('PUT', '/teams/shop', {
    namespaces: ['shop'],
    hosts: ['*.example.com'],
    groups: [SANDBOX_GROUP],
  })
  for (const cluster of CLUSTERS) {
    const metrics = { prometheus: { url: `${prometheus}/${cluster}` }, delay: '1s', every: '2s' }
    await meshwright.call('PUT', `/clusters/${cluster}`, { kubeconfig: { context: cluster }, metrics })
  }
  await meshwright.call('PUT', SERVICE, {
    team: 'shop',
    ports: [{ name: 'http', port: 80, protocol: 'http' }],
    versions: { v1: version('v1') },
    initialVersion: 'v1',
    clusters: CLUSTERS,
  })
  screen.say(`  registered clusters ${CLUSTERS.join(' and ')}, and service shop/web with v1 stable`)
  const look = () => meshwright.call<{ value: readonly PlacementShown[] }>('GET', `${SERVICE}/placements`)
  const isLive = (placement: PlacementShown) =>
    placement.conditions.some(({ type, status }) => type === 'Ready' && status === 'True')
  const deadline = Date.now() + REGISTER_PATIENCE_MS
  for (let seen = await look(); !seen.value.every(isLive); seen = await look()) {
    if (Date.now() > deadline) throw new Error(`shop/web is not on its clusters: ${JSON.stringify(seen.value)}`)
    await sleep(LOOK_EVERY_MS, undefined, { signal })
  }
  screen.say(`  its route is live on both: ${REQUESTS_PER_SECOND} requests a second each, all to v1`)
}

interface PlacementShown {
  readonly conditions: readonly { readonly type: string; readonly status: string }[]
}

/** What a pipeline does before it asks for the traffic: the new version's pods. */
async function deploy({ world, screen }: Run, name: string, errorPercent: number): Promise<void> {
  for (const cluster of CLUSTERS)
    await world.call('PUT', `/clusters/${cluster}${SERVICE}/versions/${name}`, { errorPercent })
  screen.say(`  deployed ${name}, which fails ${errorPercent} % of its requests; the gate allows 1 %`)
}

/** Starts a rollout and shows it until it is over. */
async function release({ meshwright, screen, signal }: Run, candidate: string): Promise<RolloutShown> {
  const body = { candidate: { name: candidate, ...version(candidate) }, ...RELEASE }
  const started = await meshwright.call<RolloutShown>('POST', `${SERVICE}/rollouts`, body)
  const startedMs = Date.now()
  for (;;) {
    const rollout = await meshwright.call<RolloutShown>('GET', `/rollouts/${started.id}`)
    const elapsedMs = Date.now() - startedMs
    const { isLive, columns } = screen
    screen.show(isLive ? drawRollout(rollout, { columns, elapsedMs }) : tellRollout(rollout))
    if (isTerminal(rollout.phase)) {
      screen.keep()
      return rollout
    }
    if (elapsedMs > ROLLOUT_PATIENCE_MS) throw new Error(`${candidate} is still ${rollout.phase}: ${rollout.message}`)
    await sleep(LOOK_EVERY_MS, undefined, { signal })
  }
}

/** Throws unless the rollout ended so, and v2 is what every cluster runs. */
async function expectEnd({ meshwright }: Run, rollout: RolloutShown, phase: RolloutShown['phase']): Promise<void> {
  if (rollout.phase !== phase) throw new Error(`${rollout.candidate} ended ${rollout.phase}: ${rollout.message}`)
  const { stable } = await meshwright.call<{ stable: Readonly<Record<string, string>> }>('GET', SERVICE)
  const other = CLUSTERS.find((cluster) => stable[cluster] !== 'v2')
  if (other !== undefined) throw new Error(`${other} has ${stable[other]} as its stable version in place of v2`)
}

function version(name: string): object {
  return { labels: { version: name } }
}
