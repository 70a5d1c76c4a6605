// A Key Vault for the one secret of a deployment that doesn't use the managed identity as credential.
import { resourceTags } from 'types.bicep'

@description('Name of the vault.')
param name string

@description('Azure region.')
param location string

@description('Tags of every resource.')
param tags resourceTags

@description('Object (principal) id of the identity that reads the secret.')
param principalId string

@description('The secret; empty leaves the one that is there.')
@secure()
param credentialValue string

@description('The deleted vault can\'t be purged for 90 days, and its name stays taken. Can\'t be turned off again.')
param purgeProtection bool

@description('Resource id of the Log Analytics workspace that keeps who read the secret.')
param workspaceId string

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
    // Azure refuses false.
    enablePurgeProtection: purgeProtection ? true : null
  }
}

resource credential 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = if (!empty(credentialValue)) {
  parent: vault
  name: secretName
  properties: { value: credentialValue }
}

resource reader 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in items(roles): {
    name: guid(vault.id, principalId, role.value)
    scope: vault
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.value)
      principalId: principalId
      principalType: 'ServicePrincipal'
    }
  }
]

// The version that Azure documents for all resource types.
#disable-next-line use-recent-api-versions
resource audit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'audit'
  scope: vault
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'AuditEvent', enabled: true }]
  }
}

// A new value has a new version, and the changed setting makes Azure read it at once. Without a value the version is not known.
#disable-next-line outputs-should-not-contain-secrets // Only whether there is a value decides.
output credentialUri string = empty(credentialValue)
  ? '${vault.properties.vaultUri}secrets/${secretName}'
  : credential!.properties.secretUriWithVersion
