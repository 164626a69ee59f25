import { app } from '@azure/functions'
import { heldApp } from './shared/held-app.ts'
import { hasRole } from './shared/roles.ts'

if (hasRole('work')) {
  app.timer('sweep', { schedule: '*/30 * * * * *', handler: async () => (await heldApp()).sweep() })
  app.timer('resync', { schedule: '0 */5 * * * *', handler: async () => (await heldApp()).resync() })
  app.timer('watch', { schedule: '0 37 * * * *', handler: async () => (await heldApp()).watch() })
}
