param location string
param tags object
param token string
param principalIds array

@description('Monitoring Data Reader: PromQL on the workspace.')
var monitoringDataReader = 'b0d8363b-8ddd-447d-831f-62ca05bff136'
@description('Log Analytics Reader: KQL.')
var logAnalyticsReader = '73c42c96-874c-492b-b04d-ab87d138a893'
@description('Monitoring Metrics Publisher: telemetry into Application Insights without a key.')
var metricsPublisher = '3913510d-42f4-4e42-8a64-420c390055eb'

resource logs 'Microsoft.OperationalInsights/workspaces@2025-02-01' = {
  name: 'log-${token}'
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: 30
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: 'appi-${token}'
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: logs.id
    DisableLocalAuth: true
  }
}

@description('Managed Prometheus. Clusters send here when their monitoring add-on names this workspace.')
resource metrics 'Microsoft.Monitor/accounts@2023-04-03' = {
  name: 'amw-${token}'
  location: location
  tags: tags
}

resource metricsReaders 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for principalId in principalIds: {
    name: guid(metrics.id, principalId, monitoringDataReader)
    scope: metrics
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', monitoringDataReader)
    }
  }
]

resource logReaders 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for principalId in principalIds: {
    name: guid(logs.id, principalId, logAnalyticsReader)
    scope: logs
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', logAnalyticsReader)
    }
  }
]

resource publishers 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for principalId in principalIds: {
    name: guid(insights.id, principalId, metricsPublisher)
    scope: insights
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', metricsPublisher)
    }
  }
]

output insightsId string = insights.id
output connectionString string = insights.properties.ConnectionString
output metricsWorkspaceId string = metrics.id
output metricsEndpoint string = metrics.properties.metrics.prometheusQueryEndpoint
