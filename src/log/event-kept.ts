import type { EventRecord } from '../model/event.ts'
import type { LogLevel } from '../ports/logger.ts'
import type { Witness } from './witness.ts'

/**
 * Tells operators of an event that was just kept. Events are what users see of everything that happens, so one place,
 * where they are kept, is enough: nothing is told twice, and nothing is forgotten.
 */
export function logEvent(witness: Witness, event: EventRecord): void {
  const [room = '', happening = ''] = event.type.split('.')
  const log = LOGS[event.type] ?? LOGS[happening] ?? LOGS[room] ?? logOther
  log(witness, event)
}

/** By type, by what happened, by what it happened to. */
const LOGS: Readonly<Record<string, (witness: Witness, event: EventRecord) => void>> = {
  'rollout.look': logVerdict,
  // No transition.
  'rollout.held': logOther,
  'drift-restored': logDrift,
  rollout: logRolloutTransition,
  cluster: logCluster,
  certificate: logCertificate,
}

/** `rollout.transition`: a rollout entered a phase, or took a step within one. */
export function logRolloutTransition({ logger, telemetry }: Witness, event: EventRecord): void {
  const { rollout, candidate, from, to, step, weight } = event.data ?? {}
  const phase = text(to)
  telemetry.count('meshwright.rollout.transitions', { phase, reason: event.reason })
  const level = LEVEL_OF_PHASE[phase] ?? 'info'
  logger.log(level, 'rollout.transition', { ...base(event), rollout, candidate, from, to, step, weight })
}

/** Phases that someone should look at. A rollout that failed could not set its weights: a person must act. */
const LEVEL_OF_PHASE: Readonly<Record<string, LogLevel>> = { 'rolling-back': 'warn', blind: 'warn', failed: 'error' }

/** `gate.verdict`: what a gate saw on one cluster. Undecided and safe looks are many: they are for debugging. */
export function logVerdict({ logger, telemetry }: Witness, event: EventRecord): void {
  const { rollout, gate, kind, cluster, weight, verdict } = event.data ?? {}
  const word = text(field(verdict, 'verdict'))
  telemetry.count('meshwright.gate.verdicts', { verdict: word, reason: event.reason, cluster: text(cluster) })
  const level = word === 'harm' || word === 'blind' ? 'warn' : 'debug'
  logger.log(level, 'gate.verdict', { ...base(event), rollout, gate, kind, cluster, weight, verdict: word })
}

/** `drift.restored`: another hand had changed or removed what is ours. */
export function logDrift({ logger, telemetry }: Witness, event: EventRecord): void {
  const { object, hands, fields } = event.data ?? {}
  telemetry.count('meshwright.drift.restored', { cluster: clusterOf(event) })
  logger.log('warn', 'drift.restored', { ...base(event), object, hands, fields })
}

/** `cluster.event`: a cluster was registered or let go, or one of its conditions changed. */
export function logCluster({ logger, telemetry }: Witness, event: EventRecord): void {
  const isChange = event.type === 'cluster.condition'
  if (isChange) telemetry.count('meshwright.cluster.changes', { reason: event.reason, cluster: clusterOf(event) })
  const level = isChange && / is False: /.test(event.message) ? 'warn' : 'info'
  logger.log(level, 'cluster.event', base(event))
}

/** `certificate.event`: steps of rotations and deliveries, and ends that come near. */
export function logCertificate({ logger, telemetry }: Witness, event: EventRecord): void {
  telemetry.count('meshwright.certificate.events', { type: event.type, reason: event.reason })
  const [, happening = ''] = event.type.split('.')
  logger.log(LEVEL_OF_CERTIFICATE[happening] ?? 'info', 'certificate.event', base(event))
}

const LEVEL_OF_CERTIFICATE: Readonly<Record<string, LogLevel>> = {
  'rotation-failed': 'error',
  'near-expiry': 'warn',
  'delivery-failed': 'warn',
  'not-shown': 'warn',
  'version-gone': 'warn',
  held: 'warn',
  'changed-elsewhere': 'warn',
}

/** `event.kept`: everything else, of services and placements. */
function logOther({ logger }: Witness, event: EventRecord): void {
  logger.log('info', 'event.kept', base(event))
}

function base({ id, type, subject, actor, reason, message }: EventRecord) {
  return { type, subject, reason, message, actor: actor.name, eventId: id }
}

function clusterOf({ subject, data }: EventRecord): string {
  if (subject.startsWith('clusters/')) return subject.slice('clusters/'.length)
  return text(data?.cluster)
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : 'unknown'
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}
