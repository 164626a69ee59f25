param location string
param tags object
param token string

@description('Identities of all apps: they read the settings vault, for app settings that are references.')
param principalIds array

@description('The app that brings certificates to clusters: reads certificates with their keys.')
param readerPrincipalId string

@description('The app that makes certificates.')
param officerPrincipalId string
param isPrivate bool

@description('Key Vault Certificates Officer.')
var certificatesOfficer = 'a4417e6f-fecd-4de8-b567-7b0420556985'
@description('Key Vault Certificate User: public parts.')
var certificateUser = 'db79e9a7-68ee-4b58-9aeb-b90e7c24fcba'
@description('Key Vault Secrets User.')
var secretsUser = '4633458b-17de-408a-b874-0445c86b69e6'

resource certificateVault 'Microsoft.KeyVault/vaults@2024-11-01' = {
  name: 'kvc-${token}'
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    enablePurgeProtection: true
    publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled'
    networkAcls: { defaultAction: isPrivate ? 'Deny' : 'Allow', bypass: 'AzureServices' }
  }
}

@description('Secrets of Meshwright itself: signing secrets of chat, keys of hooks. No app may change it.')
resource settingsVault 'Microsoft.KeyVault/vaults@2024-11-01' = {
  name: 'kvs-${token}'
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    enablePurgeProtection: true
    publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled'
    networkAcls: { defaultAction: isPrivate ? 'Deny' : 'Allow', bypass: 'AzureServices' }
  }
}

resource officer 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(certificateVault.id, officerPrincipalId, certificatesOfficer)
  scope: certificateVault
  properties: {
    principalId: officerPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', certificatesOfficer)
  }
}

resource reader 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(certificateVault.id, readerPrincipalId, secretsUser)
  scope: certificateVault
  properties: {
    principalId: readerPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', secretsUser)
  }
}

resource readerOfCertificates 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(certificateVault.id, readerPrincipalId, certificateUser)
  scope: certificateVault
  properties: {
    principalId: readerPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', certificateUser)
  }
}

resource settingsReaders 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for principalId in principalIds: {
    name: guid(settingsVault.id, principalId, secretsUser)
    scope: settingsVault
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', secretsUser)
    }
  }
]

output certificateVaultId string = certificateVault.id
output certificateVaultUri string = certificateVault.properties.vaultUri
output settingsVaultId string = settingsVault.id
output settingsVaultUri string = settingsVault.properties.vaultUri
