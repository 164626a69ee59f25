import { app } from '@azure/functions'
import { heldApp } from './shared/held-app.ts'
import { hasRole } from './shared/roles.ts'

if (hasRole('lifecycle')) {
  app.storageQueue('lifecycle', {
    queueName: 'lifecycle',
    connection: 'MESHWRIGHT_QUEUES',
    handler: async (message) => (await heldApp()).work(message),
  })
  app.timer('scan', { schedule: '0 7 * * * *', handler: async () => (await heldApp()).scan() })
}
