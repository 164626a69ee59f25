param location string
param tags object
param token string
param principalIds array
param isPrivate bool

@description('Cosmos DB Built-in Data Contributor.')
var dataContributor = '00000000-0000-0000-0000-000000000002'
var eventsTtlSeconds = 90 * 24 * 3600
var auditTtlSeconds = 400 * 24 * 3600

resource account 'Microsoft.DocumentDB/databaseAccounts@2024-11-15' = {
  name: 'cosmos-${token}'
  location: location
  tags: tags
  kind: 'GlobalDocumentDB'
  properties: {
    databaseAccountOfferType: 'Standard'
    locations: [{ locationName: location, failoverPriority: 0, isZoneRedundant: false }]
    capabilities: [{ name: 'EnableServerless' }]
    // Conditional writes decide everything: there must be one write region.
    enableMultipleWriteLocations: false
    consistencyPolicy: { defaultConsistencyLevel: 'Session' }
    disableLocalAuth: true
    disableKeyBasedMetadataWriteAccess: true
    minimalTlsVersion: 'Tls12'
    publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled'
    backupPolicy: {
      type: 'Continuous'
      continuousModeProperties: { tier: 'Continuous7Days' }
    }
  }
}

resource database 'Microsoft.DocumentDB/databaseAccounts/sqlDatabases@2024-11-15' = {
  parent: account
  name: 'meshwright'
  properties: { resource: { id: 'meshwright' } }
}

resource state 'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers@2024-11-15' = {
  parent: database
  name: 'state'
  properties: {
    resource: {
      id: 'state'
      partitionKey: { paths: ['/pk'], kind: 'Hash' }
      // Nothing is forgotten but what says so itself (notifications and commands that are done).
      defaultTtl: -1
    }
  }
}

resource events 'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers@2024-11-15' = {
  parent: database
  name: 'events'
  properties: {
    resource: {
      id: 'events'
      partitionKey: { paths: ['/pk'], kind: 'Hash' }
      defaultTtl: eventsTtlSeconds
      indexingPolicy: {
        indexingMode: 'consistent'
        includedPaths: [{ path: '/*' }]
        excludedPaths: [{ path: '/event/data/*' }]
        compositeIndexes: [[{ path: '/_ts', order: 'ascending' }, { path: '/id', order: 'ascending' }]]
      }
    }
  }
}

resource audit 'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers@2024-11-15' = {
  parent: database
  name: 'audit'
  properties: {
    resource: {
      id: 'audit'
      partitionKey: { paths: ['/pk'], kind: 'Hash' }
      defaultTtl: auditTtlSeconds
      indexingPolicy: {
        indexingMode: 'consistent'
        includedPaths: [{ path: '/*' }]
        excludedPaths: [{ path: '/record/before/*' }, { path: '/record/after/*' }]
        compositeIndexes: [[{ path: '/_ts', order: 'ascending' }, { path: '/id', order: 'ascending' }]]
      }
    }
  }
}

resource leases 'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers@2024-11-15' = {
  parent: database
  name: 'leases'
  properties: {
    resource: {
      id: 'leases'
      partitionKey: { paths: ['/id'], kind: 'Hash' }
    }
  }
}

resource dataRoles 'Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments@2024-11-15' = [
  for principalId in principalIds: {
    parent: account
    name: guid(account.id, principalId, dataContributor)
    properties: {
      principalId: principalId
      roleDefinitionId: '${account.id}/sqlRoleDefinitions/${dataContributor}'
      scope: '${account.id}/dbs/${database.name}'
    }
  }
]

output accountId string = account.id
output endpoint string = account.properties.documentEndpoint
output databaseName string = database.name
