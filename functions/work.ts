import { app } from '@azure/functions'
import { heldApp } from './shared/held-app.ts'
import { hasRole } from './shared/roles.ts'

if (hasRole('work')) {
  for (const queue of ['urgent', 'work'] as const) {
    app.storageQueue(queue, {
      queueName: queue,
      connection: 'MESHWRIGHT_QUEUES',
      handler: async (message) => (await heldApp()).work(message),
    })
  }
}
