// The function app on Flex Consumption, and every setting it gets.
import { furtherSettings, resourceTags } from 'types.bicep'

@description('Name of the function app.')
param name string

@description('Name of its plan.')
param planName string

@description('Azure region.')
param location string

@description('Tags of every resource.')
param tags resourceTags

@description('Version of Python.')
param pythonVersion string

@description('Instances for HTTP that are always ready.')
param alwaysReadyInstances int

@description('Instances for the queue that are always ready.')
param alwaysReadyWorkInstances int

@description('HTTP requests at a time on one instance.')
param httpConcurrency int

@description('Most instances at a time.')
param maximumInstances int

@description('Subnet through which the app goes out; empty for none.')
param subnetId string

@description('Resource id of the app\'s identity.')
param identityId string

@description('Client id of the app\'s identity.')
param identityClientId string

@description('Name of the storage account.')
param storageName string

@description('Address of the container for the deployed package.')
param packagesUrl string

@description('Name of the Application Insights component.')
param insightsName string

@description('GRAPH_TENANT_ID.')
param graphTenantId string

@description('GRAPH_CLIENT_ID.')
param graphClientId string

@description('GRAPH_CLOUD.')
param graphCloud string

@description('managedIdentity, clientSecret or clientCertificate.')
param graphCredential string

@description('URL of the secret in Key Vault; empty with managedIdentity.')
param graphCredentialUri string

@description('Client id of the registration whose tokens callers sign in with; empty: a function key alone opens the keyed routes.')
param signInClientId string

@description('Further settings. Those below go before them.')
param appSettings furtherSettings

var storageSuffix = environment().suffixes.storage
var graphCredentialReference = '@Microsoft.KeyVault(SecretUri=${graphCredentialUri})'

// Each queue function scales by itself, so http instances don't read the queue.
var alwaysReady = [
  { name: 'http', instanceCount: alwaysReadyInstances }
  { name: 'function:work', instanceCount: alwaysReadyWorkInstances }
]

var credentials = {
  managedIdentity: { GRAPH_MANAGED_IDENTITY_CLIENT_ID: identityClientId }
  clientSecret: { GRAPH_CLIENT_SECRET: graphCredentialReference }
  clientCertificate: { GRAPH_CLIENT_CERTIFICATE: graphCredentialReference }
}

var settings = {
  // Addresses, not AzureWebJobsStorage__accountName: that one is for the global cloud's addresses only.
  AzureWebJobsStorage__blobServiceUri: 'https://${storageName}.blob.${storageSuffix}'
  AzureWebJobsStorage__queueServiceUri: 'https://${storageName}.queue.${storageSuffix}'
  AzureWebJobsStorage__tableServiceUri: 'https://${storageName}.table.${storageSuffix}'
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  GRAPH_TENANT_ID: graphTenantId
  GRAPH_CLIENT_ID: graphClientId
  GRAPH_CLOUD: graphCloud
  // One thread for each request that an instance may get at a time.
  PYTHON_THREADPOOL_THREAD_COUNT: string(httpConcurrency)
  // The largest body that the app accepts, 4 MiB. The host refuses more before the app runs.
  FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '4194304'
  APPLICATIONINSIGHTS_CONNECTION_STRING: insights.properties.ConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
  PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY: 'true'
  // They would record addresses, and some hold a token; the app makes its own spans.
  OTEL_PYTHON_DISABLED_INSTRUMENTATIONS: 'azure_sdk,django,fastapi,flask,httpx,httpx2,psycopg2,requests,urllib,urllib3'
}

var signInSettings = empty(signInClientId) ? {} : { REQUIRE_SIGN_IN: 'true' }

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: { reserved: true }
}

resource app 'Microsoft.Web/sites@2024-11-01' = {
  name: name
  location: location
  // azd finds by this tag where to deploy the service of azure.yaml.
  tags: union(tags, { 'azd-service-name': 'api' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    // Graph's callbacks and the flows come from the internet, also where the storage account is closed to it.
    publicNetworkAccess: 'Enabled'
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    keyVaultReferenceIdentity: identityId
    siteConfig: {
      ftpsState: 'Disabled'
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
    }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packagesUrl
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: {
        name: 'python'
        version: pythonVersion
      }
      scaleAndConcurrency: {
        instanceMemoryMB: 2048
        maximumInstanceCount: maximumInstances
        alwaysReady: filter(alwaysReady, group => group.instanceCount > 0)
        // Without it Python gets one request at a time.
        triggers: { http: { perInstanceConcurrency: httpConcurrency } }
      }
    }
  }

  resource configuration 'config' = {
    name: 'appsettings'
    properties: union(appSettings, settings, signInSettings, credentials[graphCredential])
    // The app believes what Easy Auth says of a caller, so that comes first.
    dependsOn: [authentication]
  }

  // Easy Auth: it proves who a caller is, lets anonymous requests through, and removes what they claim to be. The app
  // then asks keyed routes for a signed-in caller. Graph's callbacks have tokens that only the app can check.
  resource authentication 'config' = if (!empty(signInClientId)) {
    name: 'authsettingsV2'
    properties: {
      platform: { enabled: true }
      globalValidation: {
        requireAuthentication: false
        unauthenticatedClientAction: 'AllowAnonymous'
        excludedPaths: ['/api/notifications', '/api/health', '/api/page']
      }
      httpSettings: { requireHttps: true }
      login: {
        tokenStore: { enabled: false }
      }
      identityProviders: {
        azureActiveDirectory: {
          enabled: true
          registration: {
            clientId: signInClientId
            openIdIssuer: uri(environment().authentication.loginEndpoint, '${graphTenantId}/v2.0')
          }
          validation: { allowedAudiences: [signInClientId, 'api://${signInClientId}'] }
        }
      }
    }
  }

  // Deployments sign in with Entra ID. Publishing passwords are off.
  resource ftp 'basicPublishingCredentialsPolicies' = {
    name: 'ftp'
    properties: { allow: false }
  }

  resource scm 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: { allow: false }
  }
}

output name string = app.name
output host string = app.properties.defaultHostName
output notificationsUrl string = 'https://${app.properties.defaultHostName}/api/notifications'
