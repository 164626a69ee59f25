import type { Figure } from './figure.ts'
import { METRICS, startOneCore } from './releases/one-core.ts'
import type { Shown } from './releases/release.ts'
import { objectsOf, servicesOf, specOf, teamOf } from './releases/setting.ts'

const MINUTE = 60_000
const [SERVICE = ''] = servicesOf(1)
const NAME = SERVICE.split('/')[1] ?? ''

/** A candidate that turns bad in the middle of its step, in virtual time: how many looks, and what is asked of the cluster. */
export async function breach(): Promise<readonly Figure[]> {
  const core = await startOneCore()
  try {
    core.put(objectsOf(SERVICE, 0))
    await core.call('admin', 'PUT', '/teams/shop', teamOf([SERVICE]))
    await core.call('operator', 'PUT', '/clusters/one', { kubeconfig: { context: 'one' }, metrics: METRICS })
    await core.pass(MINUTE)
    await core.call('deployer', 'PUT', `/services/${SERVICE}`, specOf(SERVICE))
    await core.pass(MINUTE)
    const body = { candidate: 'v2', steps: [{ weight: 10, for: '30m' }] }
    const { id } = await core.call<Shown>('deployer', 'POST', `/services/${SERVICE}/rollouts`, body)
    await core.pass(3 * MINUTE)
    if (core.candidateShare(NAME) !== 10) throw new Error('the candidate does not get its share')
    core.turnBad(0.5)
    const before = core.tally()
    const turnedMs = core.time.now()
    while (core.candidateShare(NAME) > 0 && core.time.now() - turnedMs < 10 * MINUTE) await core.pass(1000)
    const backMs = core.time.now()
    await core.pass(MINUTE)
    const after = core.tally()
    const { phase } = await core.call<Shown>('viewer', 'GET', `/rollouts/${id}`)
    if (phase !== 'rolled-back') throw new Error(`the rollout is ${phase}`)
    const more = (name: string) => (after.get(name) ?? 0) - (before.get(name) ?? 0)
    // Samples are `delay` late: a look before that sees nothing of the breach.
    const shownMs = turnedMs + 30_000
    return [
      {
        name: 'breach: from the data that shows it to all on stable',
        value: Math.ceil(Math.max(0, backMs - shownMs) / MINUTE),
        unit: 'looks, one a minute',
        limit: 1,
        note: `${Math.round((backMs - turnedMs) / 1000)} s after it began, of which the source is 30 s late`,
      },
      {
        name: 'breach: asked of the cluster until it is over',
        value: more('cluster reads') + more('cluster writes'),
        unit: 'requests',
        note: `${more('cluster writes')} writes; the way back, and then the candidate out of the route`,
      },
    ]
  } finally {
    core.restore()
  }
}
