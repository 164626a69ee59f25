import type { FeedPosition } from './change-feed-source.ts'
import type { FeedSettings } from './change-feed-trigger.ts'
import type { BindingInfo } from './core-types.ts'

/** App settings by name, as a trigger's `%NAME%` means them. */
export type AppSettings = Readonly<Record<string, string | undefined>>

/**
 * A text member of a trigger with each `%NAME%` replaced by that app setting. Throws when the member or a setting is
 * missing, as Azure does when it starts a listener.
 */
export function textSetting(binding: BindingInfo, member: string, settings: AppSettings): string {
  const text = optionalText(binding, member, settings)
  if (text === undefined || text === '') throw new Error(`${binding.type}: "${member}" is missing`)
  return text
}

/** The settings of a Cosmos DB trigger with Azure's defaults. Throws for what this host cannot do. */
export function feedSettings(binding: BindingInfo, settings: AppSettings): FeedSettings {
  if (binding.changeFeedMode === 'AllVersionsAndDeletes') {
    throw new Error('The local host knows only the change feed mode LatestVersion')
  }
  const database = textSetting(binding, 'databaseName', settings)
  return {
    monitored: { database, container: textSetting(binding, 'containerName', settings) },
    leases: {
      database: optionalText(binding, 'leaseDatabaseName', settings) ?? database,
      container: optionalText(binding, 'leaseContainerName', settings) ?? 'leases',
    },
    leasePrefix: optionalText(binding, 'leaseContainerPrefix', settings) ?? '',
    createLeases: binding.createLeaseContainerIfNotExists === true,
    pollMs: positive(binding.feedPollDelay) ?? 5000,
    maxItems: positive(binding.maxItemsPerInvocation) ?? -1,
    start: startOf(binding, settings),
  }
}

function startOf(binding: BindingInfo, settings: AppSettings): FeedPosition {
  const time = optionalText(binding, 'startFromTime', settings)
  if (time !== undefined && time !== '') {
    if (binding.startFromBeginning === true)
      throw new Error('Only one of startFromBeginning or startFromTime can be used')
    const timeMs = Date.parse(time)
    if (Number.isNaN(timeMs)) throw new Error(`startFromTime "${time}" is no date`)
    return { from: 'time', timeMs }
  }
  return { from: binding.startFromBeginning === true ? 'beginning' : 'now' }
}

function optionalText(binding: BindingInfo, member: string, settings: AppSettings): string | undefined {
  const text = binding[member]
  if (typeof text !== 'string') return undefined
  return text.replace(/%([^%]+)%/g, (_, name: string) => {
    const value = settings[name]
    if (value === undefined) throw new Error(`${binding.type}: the app setting "${name}" of "${member}" is missing`)
    return value
  })
}

function positive(value: unknown): number | undefined {
  return typeof value === 'number' && value > 0 ? value : undefined
}
