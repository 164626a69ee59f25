import type { WorkMessage } from '../model/outbox.ts'
import type { Clock } from '../ports/clock.ts'
import type { Witness } from './witness.ts'

/** Does the work of a queue message as part of the trace that it came with; `work.failed` when it has to come again. */
export async function observeWork(
  { logger, telemetry, clock }: Witness & { readonly clock: Clock },
  message: WorkMessage,
  work: () => Promise<void>,
): Promise<void> {
  const { kind, trace, session: _session, notBefore: _time, ...about } = message
  const started = clock.now()
  const ended = (result: 'done' | 'failed') =>
    telemetry.record('meshwright.work.duration', clock.now() - started, { kind, result })
  const attributes = Object.fromEntries(
    Object.entries(about).flatMap(([name, value]) =>
      typeof value === 'string' ? [[`meshwright.${name}`, value] as const] : [],
    ),
  )
  const observed = async () => {
    try {
      await work()
      ended('done')
    } catch (error) {
      ended('failed')
      telemetry.count('meshwright.work.failures', { kind })
      logger.log('warn', 'work.failed', { kind, ...about, error })
      throw error
    }
  }
  return telemetry.span(`work ${kind}`, attributes, observed, trace)
}
