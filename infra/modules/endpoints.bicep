param location string
param tags object
param token string
param subnetId string
param networkId string
param cosmosId string
param storageId string
param certificateVaultId string
param settingsVaultId string

@description('Empty: there is no vault for mesh CAs.')
param meshCaVaultId string

@description('Empty: there is no vault for the identities of Linkerd.')
param linkerdVaultId string

var zones = [
  'privatelink.documents.azure.com'
  'privatelink.blob.${environment().suffixes.storage}'
  'privatelink.queue.${environment().suffixes.storage}'
  'privatelink.vaultcore.azure.net'
]

var always = [
  { name: 'cosmos', target: cosmosId, groupId: 'Sql', zone: 0 }
  { name: 'blob', target: storageId, groupId: 'blob', zone: 1 }
  { name: 'queue', target: storageId, groupId: 'queue', zone: 2 }
  { name: 'certificates', target: certificateVaultId, groupId: 'vault', zone: 3 }
  { name: 'settings', target: settingsVaultId, groupId: 'vault', zone: 3 }
]
var ofMeshCas = { name: 'mesh-ca', target: meshCaVaultId, groupId: 'vault', zone: 3 }
var ofLinkerd = { name: 'linkerd', target: linkerdVaultId, groupId: 'vault', zone: 3 }
var endpoints = concat(always, empty(meshCaVaultId) ? [] : [ofMeshCas], empty(linkerdVaultId) ? [] : [ofLinkerd])

resource dnsZones 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for zone in zones: {
    name: zone
    location: 'global'
    tags: tags
  }
]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (zone, index) in zones: {
    parent: dnsZones[index]
    name: 'link-${token}'
    location: 'global'
    tags: tags
    properties: {
      registrationEnabled: false
      virtualNetwork: { id: networkId }
    }
  }
]

resource privateEndpoints 'Microsoft.Network/privateEndpoints@2024-05-01' = [
  for endpoint in endpoints: {
    name: 'pe-${endpoint.name}-${token}'
    location: location
    tags: tags
    properties: {
      subnet: { id: subnetId }
      privateLinkServiceConnections: [
        {
          name: endpoint.name
          properties: {
            privateLinkServiceId: endpoint.target
            groupIds: [endpoint.groupId]
          }
        }
      ]
    }
  }
]

resource zoneGroups 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-05-01' = [
  for (endpoint, index) in endpoints: {
    parent: privateEndpoints[index]
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [{ name: 'zone', properties: { privateDnsZoneId: dnsZones[endpoint.zone].id } }]
    }
  }
]
