// The Azure Bot: without one that has calling turned on, Graph refuses the registration's calls (7503).
import { resourceTags } from 'types.bicep'

@description('Name of the bot.')
param name string

@description('Tags of every resource.')
param tags resourceTags

@description('Client id of the app registration.')
param graphClientId string

@description('Tenant of the app registration.')
param graphTenantId string

@description('Where Teams reports incoming calls.')
param notificationsUrl string

@description('Which Teams the bot is for.')
param teamsDeployment string

resource bot 'Microsoft.BotService/botServices@2022-09-15' = {
  name: name
  location: 'global'
  tags: tags
  kind: 'azurebot'
  sku: { name: 'F0' }
  properties: {
    displayName: 'Call Invites'
    // For chat messages, of which this bot has none. Empty is what the Azure CLI sends where none is given.
    endpoint: ''
    msaAppType: 'SingleTenant'
    msaAppId: graphClientId
    msaAppTenantId: graphTenantId
  }
}

resource teams 'Microsoft.BotService/botServices/channels@2022-09-15' = {
  parent: bot
  name: 'MsTeamsChannel'
  location: 'global'
  properties: {
    channelName: 'MsTeamsChannel'
    properties: {
      isEnabled: true
      acceptedTerms: true
      deploymentEnvironment: teamsDeployment
      enableCalling: true
      callingWebhook: notificationsUrl
      // Graph's own format; the older one would be sent otherwise.
      incomingCallRoute: 'graphPma'
    }
  }
}
