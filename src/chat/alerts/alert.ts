/** What a monitor's alert says that matters here, whatever its format. */
export interface Alert {
  /** The same for every delivery of one firing of one alert. */
  readonly id: string
  /** Name of its rule. */
  readonly rule: string
  readonly summary: string
  /** `namespace/name`, or a bare name. */
  readonly service?: string
  readonly rollout?: string
  /** Only rollouts on this cluster: our name of it, or the monitor's. */
  readonly cluster?: string
  /** `hold` pauses, and is what an alert does that does not say. */
  readonly action: 'hold' | 'abort'
}

/** Labels, or custom properties: what people set on an alert. */
export type AlertLabels = Readonly<Record<string, string>>

const MOST = 300

/** An alert by its labels; `id` and `rule` come from the format. */
export function alertOf(id: string, rule: string, summary: string, labels: AlertLabels): Alert {
  const label = (...names: readonly string[]): string | undefined =>
    names
      .map((name) => (Object.hasOwn(labels, name) ? labels[name]?.slice(0, MOST).trim() : undefined))
      .find((value) => value)
  const own = label('service')
  const name = own ?? label('destination_service_name')
  // Istio's names go together: `namespace` would be that of whoever was scraped.
  const namespace = own === undefined ? label('destination_service_namespace') : label('namespace', 'service_namespace')
  // What is set for us goes before names that others use too.
  const rollout = label('meshwright_rollout', 'rollout')
  const cluster = label('meshwright_cluster', 'cluster')
  const service = name === undefined || name.includes('/') || namespace === undefined ? name : `${namespace}/${name}`
  return {
    id,
    rule: clean(rule) || 'alert',
    summary: clean(summary),
    action: label('meshwright_action')?.toLowerCase() === 'abort' ? 'abort' : 'hold',
    ...(service === undefined ? {} : { service }),
    ...(rollout === undefined ? {} : { rollout }),
    ...(cluster === undefined ? {} : { cluster }),
  }
}

/** Words of monitors on one line. */
function clean(text: string): string {
  return text
    .replaceAll(/[\p{C}\s]+/gu, ' ')
    .trim()
    .slice(0, MOST)
}
