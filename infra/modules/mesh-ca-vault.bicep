param location string
param tags object
param token string

@description('First letters of the name of the vault.')
param prefix string

@description('The app that rotates mesh CAs: makes and uses their root keys, writes what istiod signs with.')
param officerPrincipalId string

@description('The app that brings what is in it to clusters; empty: a driver of the cluster does.')
param readerPrincipalId string
param isPrivate bool

@description('Key Vault Crypto Officer: makes keys, signs, and cannot read a private half.')
var cryptoOfficer = '14b46e9e-c2b7-41b4-b07b-48a6ebf60603'
@description('Key Vault Secrets User.')
var secretsUser = '4633458b-17de-408a-b874-0445c86b69e6'
@description('Key Vault Secrets Officer.')
var secretsOfficer = 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7'

@description('Root keys of mesh CAs, in hardware, and the four secrets of each cluster. Apart from the certificates, whose keys no app that makes them may read.')
resource meshCaVault 'Microsoft.KeyVault/vaults@2024-11-01' = {
  name: '${prefix}-${token}'
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: { family: 'A', name: 'premium' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    enablePurgeProtection: true
    publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled'
    networkAcls: { defaultAction: isPrivate ? 'Deny' : 'Allow', bypass: 'AzureServices' }
  }
}

resource keys 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(meshCaVault.id, officerPrincipalId, cryptoOfficer)
  scope: meshCaVault
  properties: {
    principalId: officerPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', cryptoOfficer)
  }
}

resource secrets 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(meshCaVault.id, officerPrincipalId, secretsOfficer)
  scope: meshCaVault
  properties: {
    principalId: officerPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', secretsOfficer)
  }
}

resource reader 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(readerPrincipalId)) {
  name: guid(meshCaVault.id, readerPrincipalId, secretsUser)
  scope: meshCaVault
  properties: {
    principalId: readerPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', secretsUser)
  }
}

output vaultId string = meshCaVault.id
output vaultUri string = meshCaVault.properties.vaultUri
