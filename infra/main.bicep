targetScope = 'subscription'

@minLength(1)
@maxLength(20)
@description('Name of the environment: part of every name, and the tag azd-env-name.')
param environmentName string

@minLength(1)
@description('Region of everything that has one.')
param location string

@description('Client ids or app id URIs that callers ask tokens for, comma separated: the setting MESHWRIGHT_AUDIENCES.')
param audiences string

@description('Object id of the enterprise application of the API: by it the roles of people in chat are looked up. Empty: chat is off.')
param servicePrincipalId string = ''

@description('True: three apps by role (edge, work, lifecycle), each with an identity of its own. False: one app.')
param splitByRole bool = true

@description('True: a virtual network with private endpoints; nothing but the edge, and the publishing sites of the apps, can be reached from outside.')
param privateNetwork bool = false

@description('Hosts besides Azure that Meshwright may call, comma separated: Prometheus servers of clusters.')
param outsideHosts string = ''

@description('Whether people in Slack, Teams and monitors may call the hooks. The secrets are put into the settings vault; see docs/deploy.md.')
param hooks bool = false

@description('Where people reach the API: a name of your own. Empty: the host name that Azure gives.')
param publicUrl string = ''

@description('True: Key Vault tells of new certificate versions by Event Grid. Needs hooks, and only after the first deployment of the code: the hook must answer.')
param keyVaultEvents bool = false

@secure()
@description('The key that Event Grid sends along; at least 32 characters. Needed with keyVaultEvents.')
param eventGridKey string = ''

@description('True: a Premium vault for mesh CAs, whose root keys never leave it; the lifecycle identity may make keys and write secrets there.')
param meshCaVault bool = false

@description('True: another such vault for the identities of Linkerd. The work identity may read its secrets: it brings issuers to clusters, and is to read none of Istio.')
param linkerdVault bool = false

@description('True: the lifecycle identity may change AKS clusters (the service mesh add-on). Not needed by this version.')
param meshLifecycle bool = false

@description('Where alerts go; empty: alert rules are made, and tell nobody.')
param alertEmail string = ''

@minValue(40)
@maxValue(1000)
@description('Most instances of the app that answers HTTP.')
param maximumInstanceCount int = 100

@minValue(0)
@maxValue(20)
@description('Instances for HTTP that are always ready. 0: none, the first call after a pause waits for a cold start.')
param alwaysReadyHttp int = 0

var token = toLower(uniqueString(subscription().id, environmentName, location))
var tags = { 'azd-env-name': environmentName }
var roles = splitByRole ? ['edge', 'work', 'lifecycle'] : ['all']

resource group 'Microsoft.Resources/resourceGroups@2024-11-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

module identities 'modules/identities.bicep' = {
  name: 'identities'
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    roles: roles
  }
}

module network 'modules/network.bicep' = if (privateNetwork) {
  name: 'network'
  scope: group
  params: {
    location: location
    tags: tags
    token: token
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    principalIds: identities.outputs.principalIds
  }
}

module state 'modules/cosmos.bicep' = {
  name: 'state'
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    principalIds: identities.outputs.principalIds
    isPrivate: privateNetwork
  }
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    roles: roles
    principalIds: identities.outputs.principalIds
    isPrivate: privateNetwork
  }
}

module vaults 'modules/vaults.bicep' = {
  name: 'vaults'
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    principalIds: identities.outputs.principalIds
    readerPrincipalId: identities.outputs.workPrincipalId
    officerPrincipalId: identities.outputs.lifecyclePrincipalId
    isPrivate: privateNetwork
  }
}

module caVault 'modules/mesh-ca-vault.bicep' = if (meshCaVault) {
  name: 'mesh-ca-vault'
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    prefix: 'kvm'
    officerPrincipalId: identities.outputs.lifecyclePrincipalId
    readerPrincipalId: ''
    isPrivate: privateNetwork
  }
}

module identityVault 'modules/mesh-ca-vault.bicep' = if (linkerdVault) {
  name: 'linkerd-vault'
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    prefix: 'kvl'
    officerPrincipalId: identities.outputs.lifecyclePrincipalId
    readerPrincipalId: identities.outputs.workPrincipalId
    isPrivate: privateNetwork
  }
}

module endpoints 'modules/endpoints.bicep' = if (privateNetwork) {
  name: 'endpoints'
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    subnetId: network.outputs.endpointSubnetId
    networkId: network.outputs.networkId
    cosmosId: state.outputs.accountId
    storageId: storage.outputs.accountId
    certificateVaultId: vaults.outputs.certificateVaultId
    settingsVaultId: vaults.outputs.settingsVaultId
    meshCaVaultId: meshCaVault ? caVault.outputs.vaultId : ''
    linkerdVaultId: linkerdVault ? identityVault.outputs.vaultId : ''
  }
}

module apps 'modules/app.bicep' = [
  for (role, index) in roles: {
    name: 'app-${role}'
    scope: group
    params: {
      location: location
      tags: tags
      token: token
      role: role
      identityId: identities.outputs.ids[index]
      identityClientId: identities.outputs.clientIds[index]
      blobEndpoint: storage.outputs.blobEndpoint
      queueEndpoint: storage.outputs.queueEndpoint
      packageContainer: storage.outputs.packageContainers[index]
      cosmosEndpoint: state.outputs.endpoint
      cosmosDatabase: state.outputs.databaseName
      vaultUri: vaults.outputs.certificateVaultUri
      settingsVaultUri: vaults.outputs.settingsVaultUri
      insightsConnectionString: monitoring.outputs.connectionString
      audiences: audiences
      servicePrincipalId: servicePrincipalId
      outsideHosts: outsideHosts
      hooks: hooks
      publicUrl: publicUrl
      subnetId: privateNetwork ? network.outputs.appSubnetId : ''
      maximumInstanceCount: maximumInstanceCount
      alwaysReadyHttp: alwaysReadyHttp
    }
  }
]

module subscriptionRoles 'modules/subscription-roles.bicep' = {
  name: 'meshwright-${environmentName}-roles'
  params: {
    environmentName: environmentName
    token: token
    principalIds: identities.outputs.principalIds
    lifecyclePrincipalId: identities.outputs.lifecyclePrincipalId
    meshLifecycle: meshLifecycle
  }
}

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    insightsId: monitoring.outputs.insightsId
    alertEmail: alertEmail
  }
}

module workbook 'modules/workbook.bicep' = {
  name: 'workbook'
  scope: group
  params: {
    location: location
    tags: tags
    environmentName: environmentName
    insightsId: monitoring.outputs.insightsId
  }
}

module events 'modules/key-vault-events.bicep' = if (keyVaultEvents) {
  name: 'key-vault-events'
  scope: group
  params: {
    location: location
    tags: tags
    topicName: 'evgt-${token}'
    vaultId: vaults.outputs.certificateVaultId
    hookUrl: 'https://${apps[0].outputs.hostName}/hooks/key-vault'
    key: eventGridKey
  }
}

module caEvents 'modules/key-vault-events.bicep' = if (keyVaultEvents && meshCaVault) {
  name: 'mesh-ca-vault-events'
  scope: group
  params: {
    location: location
    tags: tags
    topicName: 'evgtm-${token}'
    vaultId: meshCaVault ? caVault.outputs.vaultId : ''
    hookUrl: 'https://${apps[0].outputs.hostName}/hooks/key-vault'
    key: eventGridKey
  }
}

module identityEvents 'modules/key-vault-events.bicep' = if (keyVaultEvents && linkerdVault) {
  name: 'linkerd-vault-events'
  scope: group
  params: {
    location: location
    tags: tags
    topicName: 'evgtl-${token}'
    vaultId: linkerdVault ? identityVault.outputs.vaultId : ''
    hookUrl: 'https://${apps[0].outputs.hostName}/hooks/key-vault'
    key: eventGridKey
  }
}

output AZURE_LOCATION string = location
output AZURE_TENANT_ID string = tenant().tenantId
output RESOURCE_GROUP string = group.name
output MESHWRIGHT_URL string = 'https://${apps[0].outputs.hostName}'
output MESHWRIGHT_APPS array = [for (role, index) in roles: apps[index].outputs.name]
output MESHWRIGHT_IDENTITIES array = identities.outputs.principalIds
output MESHWRIGHT_CERTIFICATE_VAULT string = vaults.outputs.certificateVaultUri
output MESHWRIGHT_MESH_CA_VAULT string = meshCaVault ? caVault.outputs.vaultUri : ''
output MESHWRIGHT_LINKERD_VAULT string = linkerdVault ? identityVault.outputs.vaultUri : ''
output MESHWRIGHT_SETTINGS_VAULT string = vaults.outputs.settingsVaultUri
output MESHWRIGHT_METRICS_WORKSPACE string = monitoring.outputs.metricsWorkspaceId
output MESHWRIGHT_METRICS_ENDPOINT string = monitoring.outputs.metricsEndpoint
