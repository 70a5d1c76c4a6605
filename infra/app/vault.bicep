// A Key Vault for the one secret of a deployment that doesn't use the managed identity as credential.

@description('Name of the vault.')
param name string

@description('Azure region.')
param location string

@description('Tags of every resource.')
param tags object

@description('Object (principal) id of the identity that reads the secret.')
param principalId string

@description('The secret; empty leaves the one that is there.')
@secure()
param credentialValue string

var secretName = 'graph-credential'
var roles = {
  'Key Vault Secrets User': '4633458b-17de-408a-b874-0445c86b69e6'
}

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: subscription().tenantId
    sku: {
      family: 'A'
      name: 'standard'
    }
    enableRbacAuthorization: true
  }
}

resource credential 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = if (!empty(credentialValue)) {
  parent: vault
  name: secretName
  properties: { value: credentialValue }
}

resource reader 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in items(roles): {
  name: guid(vault.id, principalId, role.value)
  scope: vault
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.value)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}]

// Without a version, so that a new secret is picked up.
output credentialUri string = '${vault.properties.vaultUri}secrets/${secretName}'
