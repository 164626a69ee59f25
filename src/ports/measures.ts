/** What a metric is, in which unit (UCUM), and what it tells. docs/operations.md says what is normal and when to alert. */
export interface Measure {
  readonly kind: 'counter' | 'histogram' | 'gauge'
  readonly unit: string
  readonly tells: string
}

/** Every metric of the product. Attributes are few and have few values: no ids of rollouts, no names of people. */
export const MEASURES = {
  'meshwright.rollout.transitions': {
    kind: 'counter',
    unit: '{transition}',
    tells: 'Rollouts that entered a phase, by `phase` and `reason`',
  },
  'meshwright.gate.verdicts': {
    kind: 'counter',
    unit: '{look}',
    tells: 'Looks of gates, by `verdict` (harm, safe, undecided, blind), `reason` and `cluster`',
  },
  'meshwright.reconcile.duration': {
    kind: 'histogram',
    unit: 'ms',
    tells: 'Time of one pass of a service on a cluster, by `outcome` and `cluster`',
  },
  'meshwright.drift.restored': {
    kind: 'counter',
    unit: '{object}',
    tells: 'Objects that another hand changed or removed and that were put back, by `cluster`',
  },
  'meshwright.cluster.changes': {
    kind: 'counter',
    unit: '{change}',
    tells: 'Conditions of clusters that changed, by `reason` and `cluster`',
  },
  'meshwright.certificate.events': {
    kind: 'counter',
    unit: '{event}',
    tells: 'What happened to certificates, by `type` and `reason`',
  },
  'meshwright.certificate.days_left': {
    kind: 'gauge',
    unit: 'd',
    tells: 'Days until the first of all certificates in use ends; set by every scan',
  },
  'meshwright.notifications': {
    kind: 'counter',
    unit: '{message}',
    tells: 'Messages to channels, by `channel` (teams, slack) and `result` (sent, failed)',
  },
  'meshwright.work.duration': {
    kind: 'histogram',
    unit: 'ms',
    tells: 'Time of one queue message, by `kind` and `result` (done, failed)',
  },
  'meshwright.work.failures': {
    kind: 'counter',
    unit: '{message}',
    tells: 'Queue messages that have to come again, by `kind`',
  },
  'meshwright.http.duration': {
    kind: 'histogram',
    unit: 'ms',
    tells: 'Time of one HTTP call, by `method`, `route` and `status`',
  },
  'meshwright.sweep.due': { kind: 'gauge', unit: '{document}', tells: 'Documents that a sweep found due' },
  'meshwright.outbox.unrelayed': {
    kind: 'gauge',
    unit: '{document}',
    tells: 'Documents that a sweep found with an outbox left behind',
  },
  'meshwright.outbox.age': {
    kind: 'gauge',
    unit: 's',
    tells: 'Age of the oldest outbox left behind; 0 when there is none',
  },
} as const satisfies Readonly<Record<string, Measure>>
export type MeasureName = keyof typeof MEASURES
