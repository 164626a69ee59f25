param location string
param tags object
param token string

@description('One identity each: edge, work, lifecycle; or all.')
param roles array

resource identities 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = [
  for role in roles: {
    name: 'id-${role}-${token}'
    location: location
    tags: tags
  }
]

output ids array = [for (role, index) in roles: identities[index].id]
output clientIds array = [for (role, index) in roles: identities[index].properties.clientId]
output principalIds array = [for (role, index) in roles: identities[index].properties.principalId]
output workPrincipalId string = identities[length(roles) == 1 ? 0 : 1].properties.principalId
output lifecyclePrincipalId string = identities[length(roles) - 1].properties.principalId
