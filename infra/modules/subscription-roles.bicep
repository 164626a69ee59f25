targetScope = 'subscription'

param environmentName string

@description('Names of custom roles are unique in the tenant, not in the subscription.')
param token string
param principalIds array
param lifecyclePrincipalId string
param meshLifecycle bool

@description('Monitoring Reader: platform metrics in batches are allowed per subscription only.')
var monitoringReader = '43d0d8ad-25c7-4714-9337-8ba259a9fe05'

@description('What reaching a cluster needs of Azure. What may be written inside it is said by infra/kubernetes.')
resource clusterAccess 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, environmentName, 'cluster-access')
  properties: {
    roleName: 'Meshwright cluster access (${environmentName} ${token})'
    description: 'Read AKS clusters and their mesh profiles, and get the address and CA of their API servers.'
    type: 'CustomRole'
    assignableScopes: [subscription().id]
    permissions: [
      {
        actions: [
          'Microsoft.ContainerService/managedClusters/read'
          'Microsoft.ContainerService/managedClusters/listClusterUserCredential/action'
          'Microsoft.ContainerService/managedClusters/meshUpgradeProfiles/read'
          'Microsoft.ContainerService/locations/meshRevisionProfiles/read'
        ]
        notActions: []
      }
    ]
  }
}

@description('What enabling and upgrading the mesh add-on needs. Writing a cluster is nearly owning it: a role of its own.')
resource clusterLifecycle 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, environmentName, 'cluster-lifecycle')
  properties: {
    roleName: 'Meshwright cluster lifecycle (${environmentName} ${token})'
    description: 'Change AKS clusters: the service mesh add-on.'
    type: 'CustomRole'
    assignableScopes: [subscription().id]
    permissions: [
      {
        actions: [
          'Microsoft.ContainerService/managedClusters/read'
          'Microsoft.ContainerService/managedClusters/write'
          'Microsoft.ContainerService/managedClusters/meshUpgradeProfiles/read'
          'Microsoft.ContainerService/locations/meshRevisionProfiles/read'
          'Microsoft.ContainerService/locations/operations/read'
          'Microsoft.ContainerService/locations/operationresults/read'
        ]
        notActions: []
      }
    ]
  }
}

resource access 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for principalId in principalIds: {
    name: guid(subscription().id, principalId, clusterAccess.id)
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: clusterAccess.id
    }
  }
]

resource lifecycle 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (meshLifecycle) {
  name: guid(subscription().id, lifecyclePrincipalId, clusterLifecycle.id)
  properties: {
    principalId: lifecyclePrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: clusterLifecycle.id
  }
}

resource metricsReaders 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for principalId in principalIds: {
    name: guid(subscription().id, principalId, monitoringReader)
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', monitoringReader)
    }
  }
]
