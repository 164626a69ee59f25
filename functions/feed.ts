import { app } from '@azure/functions'
import { heldApp } from './shared/held-app.ts'
import { hasRole } from './shared/roles.ts'

if (hasRole('work')) {
  app.cosmosDB('feed', {
    connection: 'MESHWRIGHT_COSMOS',
    databaseName: '%MESHWRIGHT_COSMOS_DATABASE%',
    containerName: 'state',
    leaseContainerName: 'leases',
    // Without a retry policy a failed batch would be checkpointed, and lost to the feed (the sweep would still find it).
    retry: {
      strategy: 'exponentialBackoff',
      maxRetryCount: 5,
      minimumInterval: { seconds: 1 },
      maximumInterval: { seconds: 30 },
    },
    handler: async (documents: unknown[]) => (await heldApp()).feed(documents),
  })
}
