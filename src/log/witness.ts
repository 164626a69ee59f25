import type { Logger } from '../ports/logger.ts'
import type { Telemetry } from '../ports/telemetry.ts'

/** Who is told of what happens: operators by logs, monitors by metrics. */
export interface Witness {
  readonly logger: Logger
  readonly telemetry: Telemetry
}
