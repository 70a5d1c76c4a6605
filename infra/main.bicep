// Everything in Azure that the app needs, in one resource group. The app registration is not part of it: infra/hooks.
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

@description('How the app proves itself to Entra ID. A secret or certificate lies in a Key Vault made for it.')
@allowed(['managedIdentity', 'clientSecret', 'clientCertificate'])
param graphCredential string = 'managedIdentity'

@description('The client secret, or certificate with key as PEM. Empty leaves what the Key Vault holds.')
@secure()
param graphCredentialValue string = ''

@description('Version of Python in Azure.')
@allowed(['3.12', '3.13'])
param pythonVersion string = '3.12'

@description('Instances for HTTP that never sleep and are paid for all the time. 0: Graph may not wait for a cold start.')
@minValue(0)
@maxValue(10)
param alwaysReadyInstances int = 1

@description('Most instances at a time: a ceiling for cost.')
@minValue(40)
@maxValue(1000)
param maximumInstances int = 40

@description('Close the storage account to the internet and reach it through a virtual network. The app stays open.')
param vnetEnabled bool = false

@description('Make an Azure Bot for the registration. false where it has one already: there can be only one.')
param createBot bool = true

@description('Which Teams the bot is for: GCCModerateDeployment for GCC.')
@allowed(['CommercialDeployment', 'GCCModerateDeployment'])
param teamsDeployment string = 'CommercialDeployment'

@description('Who is told of alerts by e-mail; empty: they show in the portal alone.')
param alertEmail string = ''

@description('''Any other setting of docs/settings.md, as {"NAME": "value"}: ALLOWED_PRINCIPALS,
CALLBACK_CALLER_IDS, CALLBACK_ISSUERS, CALLBACK_OPENID_CONFIGURATION, CALLBACK_TENANT_IDS, CALL_RETENTION_DAYS,
CONNECTOR_GATEWAY_HOSTS, FLOW_CALLBACK_HOSTS, FLOW_CALLBACK_SECRET, GRAPH_AUTHORITY, GRAPH_ENDPOINT, HTTPS_PROXY,
INCOMING_CALLS, INVITATION_CHECK_AFTER_SECONDS, INVITATION_GIVE_UP_AFTER_SECONDS, KEEP_ALIVE_SECONDS, NO_PROXY,
PHONE_PREFIXES, PUBLIC_BASE_URL, REQUIRE_SIGN_IN, RESULT_TOKEN_HOURS, START_GIVE_UP_AFTER_SECONDS, STATE_STORAGE,
STATE_TABLE.''')
@secure()
param appSettings object = {}

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
    publicAccess: !vnetEnabled
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
    appSettings: appSettings
  }
  // The app starts as soon as it is there, and then looks into its storage.
  dependsOn: [roles]
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

output AZURE_LOCATION string = location
output AZURE_TENANT_ID string = subscription().tenantId
output AZURE_RESOURCE_GROUP string = group.name
output AZURE_FUNCTION_NAME string = api.outputs.name
output API_HOST string = api.outputs.host
output NOTIFICATIONS_URL string = api.outputs.notificationsUrl
output IDENTITY_CLIENT_ID string = identity.outputs.clientId
output IDENTITY_PRINCIPAL_ID string = identity.outputs.principalId
