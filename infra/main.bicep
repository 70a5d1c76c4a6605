// Everything in Azure that the app needs, in one resource group. The app registration is not part of it: infra/hooks.
import { furtherSettings } from 'app/types.bicep'

targetScope = 'subscription'

@description('Name of the azd environment. The resource group is rg-<name>; all other names end in a hash of it.')
@minLength(1)
@maxLength(64)
param environmentName string

@description('Azure region, one that has Flex Consumption: az functionapp list-flexconsumption-locations -o table')
@minLength(1)
@metadata({ azd: { type: 'location' } })
param location string

// Without a default azd would ask for it before the hook that makes the registration has run.
@description('Application (client) id of the registration that creates or answers the calls: GRAPH_CLIENT_ID.')
param graphClientId string = ''

@description('Directory (tenant) id in which the calls take place: GRAPH_TENANT_ID.')
param graphTenantId string = subscription().tenantId

@description('Which Microsoft Graph: GRAPH_CLOUD. GCC is global.')
@allowed(['global', 'us-gov-l4', 'us-gov-l5'])
param graphCloud string = 'global'

@description('How the app proves itself to Entra ID. A secret or certificate is kept in a Key Vault made for it.')
@allowed(['managedIdentity', 'clientSecret', 'clientCertificate'])
param graphCredential string = 'managedIdentity'

@description('The client secret, or certificate with key as PEM. Empty leaves what the Key Vault holds.')
@secure()
param graphCredentialValue string = ''

@description('Purge protection of that Key Vault. It can\'t be turned off again: docs/decisions/013.')
param vaultPurgeProtection bool = false

@description('Version of Python in Azure.')
@allowed(['3.12', '3.13'])
param pythonVersion string = '3.12'

@description('Instances for HTTP that are always ready, and paid for all the time. 0: Graph may not wait for a cold start.')
@minValue(0)
@maxValue(10)
param alwaysReadyInstances int = 1

@description('Instances for the queue function that are always ready, and paid for all the time.')
@minValue(0)
@maxValue(10)
param alwaysReadyWorkInstances int = 0

@description('HTTP requests at a time on one instance, and threads of the worker.')
@minValue(1)
@maxValue(100)
param httpConcurrency int = 16

@description('Most instances at a time: a ceiling for cost.')
@minValue(40)
@maxValue(1000)
param maximumInstances int = 40

@description('Close the storage account to the internet and reach it through a virtual network. The app stays open.')
param vnetEnabled bool = false

@description('Address space of that network, /8 to /22. Fixed once the network is there.')
param vnetAddressSpace string = '10.0.0.0/16'

@description('Whether the account is closed already: an output of the deployment before, kept by azd.')
param storageClosed bool = false

@description('Make an Azure Bot for the registration. false where it has one already: there can be only one.')
param createBot bool = true

@description('Which Teams the bot is for: GCCModerateDeployment for GCC.')
@allowed(['CommercialDeployment', 'GCCModerateDeployment'])
param teamsDeployment string = 'CommercialDeployment'

@description('E-mail address for alerts. Empty: they show in the portal only.')
param alertEmail string = ''

@description('Client id of the registration that callers sign in to, in the tenant of the calls. Empty: callers need not sign in.')
@maxLength(36)
param signInClientId string = ''

@description('Any other setting of docs/settings.md, as {"NAME": "value"}.')
param appSettings furtherSettings = {}

var token = uniqueString(subscription().id, environmentName, location)
var tags = { 'azd-env-name': environmentName }

resource group 'Microsoft.Resources/resourceGroups@2024-11-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

module identity 'app/identity.bicep' = {
  name: 'identity'
  scope: group
  params: {
    name: 'id-${token}'
    location: location
    tags: tags
  }
}

module storage 'app/storage.bicep' = {
  name: 'storage'
  scope: group
  params: {
    name: 'st${token}'
    location: location
    tags: tags
    // The account is closed last (below), so that the running app keeps its storage until it is in the network.
    publicAccess: !(vnetEnabled && storageClosed)
  }
}

module monitoring 'app/monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: {
    token: token
    location: location
    tags: tags
  }
}

module roles 'app/roles.bicep' = {
  name: 'roles'
  scope: group
  params: {
    principalId: identity.outputs.principalId
    storageName: storage.outputs.name
    insightsName: monitoring.outputs.insightsName
  }
}

module vault 'app/vault.bicep' = if (graphCredential != 'managedIdentity') {
  name: 'vault'
  scope: group
  params: {
    name: 'kv-${token}'
    location: location
    tags: tags
    principalId: identity.outputs.principalId
    credentialValue: graphCredentialValue
    purgeProtection: vaultPurgeProtection
    workspaceId: monitoring.outputs.workspaceId
  }
}

module network 'app/network.bicep' = if (vnetEnabled) {
  name: 'network'
  scope: group
  params: {
    name: 'vnet-${token}'
    location: location
    tags: tags
    storageName: storage.outputs.name
    addressSpace: vnetAddressSpace
  }
}

module api 'app/api.bicep' = {
  name: 'api'
  scope: group
  params: {
    name: 'func-${token}'
    planName: 'plan-${token}'
    location: location
    tags: tags
    pythonVersion: pythonVersion
    alwaysReadyInstances: alwaysReadyInstances
    alwaysReadyWorkInstances: alwaysReadyWorkInstances
    httpConcurrency: httpConcurrency
    maximumInstances: maximumInstances
    subnetId: vnetEnabled ? network!.outputs.appSubnetId : ''
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    storageName: storage.outputs.name
    packagesUrl: storage.outputs.packagesUrl
    insightsName: monitoring.outputs.insightsName
    graphTenantId: graphTenantId
    graphClientId: graphClientId
    graphCloud: graphCloud
    graphCredential: graphCredential
    graphCredentialUri: graphCredential != 'managedIdentity' ? vault!.outputs.credentialUri : ''
    signInClientId: signInClientId
    appSettings: appSettings
  }
  // The app starts as soon as it is there, and then looks into its storage.
  dependsOn: [roles]
}

module closed 'app/storage.bicep' = if (vnetEnabled && !storageClosed) {
  name: 'storage-closed'
  scope: group
  params: {
    name: storage.outputs.name
    location: location
    tags: tags
    publicAccess: false
  }
  dependsOn: [api]
}

module bot 'app/bot.bicep' = if (createBot) {
  name: 'bot'
  scope: group
  params: {
    name: 'bot-${token}'
    tags: tags
    graphClientId: graphClientId
    graphTenantId: graphTenantId
    notificationsUrl: api.outputs.notificationsUrl
    teamsDeployment: teamsDeployment
  }
}

module alerts 'app/alerts.bicep' = {
  name: 'alerts'
  scope: group
  params: {
    token: token
    location: location
    tags: tags
    insightsId: monitoring.outputs.insightsId
    email: alertEmail
  }
}

module workbook 'app/workbook.bicep' = {
  name: 'workbook'
  scope: group
  params: {
    location: location
    tags: tags
    insightsId: monitoring.outputs.insightsId
  }
}

// Known only once the account is closed.
output STORAGE_CLOSED string = vnetEnabled ? 'true' : 'false'
output AZURE_LOCATION string = location
output AZURE_TENANT_ID string = subscription().tenantId
output AZURE_RESOURCE_GROUP string = group.name
output AZURE_FUNCTION_NAME string = api.outputs.name
output API_HOST string = api.outputs.host
output NOTIFICATIONS_URL string = api.outputs.notificationsUrl
output IDENTITY_CLIENT_ID string = identity.outputs.clientId
output IDENTITY_PRINCIPAL_ID string = identity.outputs.principalId
