// Application Insights over a Log Analytics workspace. Only Entra ID opens it for writing: keys are off.
import { resourceTags } from 'types.bicep'

@description('Hash that ends every name.')
param token string

@description('Azure region.')
param location string

@description('Tags of every resource.')
param tags resourceTags

resource workspace 'Microsoft.OperationalInsights/workspaces@2023-09-01' = {
  name: 'log-${token}'
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: 30
    features: { disableLocalAuth: true }
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: 'appi-${token}'
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    DisableLocalAuth: true
  }
}

output insightsName string = insights.name
output insightsId string = insights.id
output workspaceId string = workspace.id
