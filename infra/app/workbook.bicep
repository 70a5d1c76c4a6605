// The workbook: the questions of docs/operate.md that are worth a look every day, on one page of the portal.
import { resourceTags } from 'types.bicep'

@description('Resource id of the Application Insights component.')
param insightsId string

@description('Azure region.')
param location string

@description('Tags of every resource.')
param tags resourceTags

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  // Azure wants a GUID; this one stays the same from deployment to deployment.
  name: guid(insightsId, 'call-invites')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Call Invites'
    category: 'workbook'
    version: 'Notebook/1.0'
    sourceId: insightsId
    // What is asked where the workbook is opened from elsewhere than the component.
    serializedData: replace(loadTextContent('../workbook.json'), '<insightsId>', insightsId)
  }
}
