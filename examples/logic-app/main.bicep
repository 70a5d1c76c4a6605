// A Logic App (Consumption) that joins a meeting and calls people into it.

@description('Name of the Logic App.')
param name string = 'call-invites-example'

@description('Region of the Logic App.')
param location string = resourceGroup().location

@description('The app\'s URL, such as https://contoso-invites.azurewebsites.net, without a slash at the end.')
param appUrl string

@description('A function key of the app, best one for this Logic App alone.')
@secure()
param functionKey string

resource workflow 'Microsoft.Logic/workflows@2019-05-01' = {
  name: name
  location: location
  properties: {
    definition: loadJsonContent('workflow.json')
    parameters: {
      app: { value: appUrl }
      key: { value: functionKey }
    }
  }
}

@description('Resource id, to ask for the trigger\'s URL with.')
output id string = workflow.id
