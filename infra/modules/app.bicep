param location string
param tags object
param token string

@description('edge, work, lifecycle, or all.')
param role string
param identityId string
param identityClientId string
param blobEndpoint string
param queueEndpoint string
param packageContainer string
param cosmosEndpoint string
param cosmosDatabase string
param vaultUri string
param settingsVaultUri string
param insightsConnectionString string
param audiences string
param servicePrincipalId string
param outsideHosts string
param hooks bool

@description('Where people reach the API; empty: its own host name; the apps behind it then make no links.')
param publicUrl string
param subnetId string
param maximumInstanceCount int
param alwaysReadyHttp int

var isEdge = role == 'edge' || role == 'all'

var ownSettings = {
  MESHWRIGHT_ROLES: role == 'all' ? 'edge,work,lifecycle' : role
  MESHWRIGHT_CLIENT_ID: identityClientId
  MESHWRIGHT_TENANT_ID: tenant().tenantId
  MESHWRIGHT_AUDIENCES: audiences
  MESHWRIGHT_SERVICE_PRINCIPAL_ID: servicePrincipalId
  MESHWRIGHT_OUTSIDE_HOSTS: outsideHosts
  MESHWRIGHT_VAULT: vaultUri
  MESHWRIGHT_COSMOS__accountEndpoint: cosmosEndpoint
  MESHWRIGHT_COSMOS__credential: 'managedidentity'
  MESHWRIGHT_COSMOS__clientId: identityClientId
  MESHWRIGHT_COSMOS_DATABASE: cosmosDatabase
  MESHWRIGHT_QUEUES__queueServiceUri: queueEndpoint
  MESHWRIGHT_QUEUES__credential: 'managedidentity'
  MESHWRIGHT_QUEUES__clientId: identityClientId
}

var isWorker = role == 'work' || role == 'all'

// References that cannot be resolved count as not set. Who answers hooks checks signatures; who works sends messages.
var hookSecrets = hooks && isEdge
  ? {
      MESHWRIGHT_SLACK_SIGNING_SECRET: '@Microsoft.KeyVault(SecretUri=${settingsVaultUri}secrets/slack-signing-secret)'
      MESHWRIGHT_TEAMS_SECRETS: '@Microsoft.KeyVault(SecretUri=${settingsVaultUri}secrets/teams-secrets)'
      MESHWRIGHT_ALERT_SECRETS: '@Microsoft.KeyVault(SecretUri=${settingsVaultUri}secrets/alert-secrets)'
      MESHWRIGHT_EVENT_GRID_KEY: '@Microsoft.KeyVault(SecretUri=${settingsVaultUri}secrets/event-grid-key)'
    }
  : {}
var messageSecrets = hooks && isWorker
  ? { MESHWRIGHT_SLACK_BOT_TOKEN: '@Microsoft.KeyVault(SecretUri=${settingsVaultUri}secrets/slack-bot-token)' }
  : {}

var hostSettings = {
  AzureWebJobsStorage__blobServiceUri: blobEndpoint
  AzureWebJobsStorage__queueServiceUri: queueEndpoint
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
}

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  name: 'plan-${role}-${token}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true }
}

resource app 'Microsoft.Web/sites@2024-04-01' = {
  name: 'func-${role}-${token}'
  location: location
  tags: union(tags, { 'azd-service-name': isEdge ? 'api' : role })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    keyVaultReferenceIdentity: identityId
    // Turned off, it would keep new packages out too: for apps that answer nobody, siteConfig closes all but the publishing site.
    publicNetworkAccess: 'Enabled'
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${blobEndpoint}${packageContainer}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: { name: 'node', version: '22' }
      scaleAndConcurrency: {
        instanceMemoryMB: 2048
        maximumInstanceCount: isEdge ? maximumInstanceCount : 40
        alwaysReady: isEdge && alwaysReadyHttp > 0 ? [{ name: 'http', instanceCount: alwaysReadyHttp }] : []
      }
    }
    siteConfig: {
      minTlsVersion: '1.2'
      http20Enabled: true
      ipSecurityRestrictionsDefaultAction: isEdge ? 'Allow' : 'Deny'
      scmIpSecurityRestrictionsDefaultAction: 'Allow'
      scmIpSecurityRestrictionsUseMain: false
    }
  }
}

resource settings 'Microsoft.Web/sites/config@2024-04-01' = {
  parent: app
  name: 'appsettings'
  properties: union(ownSettings, hookSecrets, messageSecrets, hostSettings, {
    MESHWRIGHT_PUBLIC_URL: !empty(publicUrl) || !isEdge ? publicUrl : 'https://${app.properties.defaultHostName}'
  })
}

@description('Publishing with a password stays off.')
resource noPasswords 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-04-01' = [
  for kind in ['scm', 'ftp']: {
    parent: app
    name: kind
    properties: { allow: false }
  }
]

output name string = app.name
output hostName string = app.properties.defaultHostName
