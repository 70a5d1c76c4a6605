# What both hooks need. common.sh does the same in sh.
$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $false # $LASTEXITCODE is asked instead

function Stop-With([string] $Message) {
    [Console]::Error.WriteLine($Message)
    exit 1
}

if ($env:GRAPH_CLOUD -like 'us-gov-*') {
    $cloud, $graph, $portal = 'AzureUSGovernment', 'https://graph.microsoft.us', 'https://portal.azure.us'
    $authority, $audience = 'https://login.microsoftonline.us', 'api://AzureADTokenExchangeUSGov'
}
else {
    $cloud, $graph, $portal = 'AzureCloud', 'https://graph.microsoft.com', 'https://portal.azure.com'
    $authority, $audience = 'https://login.microsoftonline.com', 'api://AzureADTokenExchange'
}

function Assert-Az {
    if (-not (Get-Command az -ErrorAction SilentlyContinue)) {
        Stop-With 'The Azure CLI is missing: https://learn.microsoft.com/cli/azure/install-azure-cli'
    }
}

# Stops unless the Azure CLI can change the registration. Returns the tenant. -ne doesn't compare capitals.
function Assert-SignIn {
    Assert-Az
    $current = az cloud show --query name --output tsv
    if ($LASTEXITCODE -ne 0) { Stop-With 'The Azure CLI is broken: az cloud show' }
    if ($current -ne $cloud) {
        Stop-With "GRAPH_CLOUD needs $cloud, and the Azure CLI is set to ${current}: az cloud set --name $cloud, then az login"
    }
    $tenant = az account show --query tenantId --output tsv
    if ($LASTEXITCODE -ne 0) { Stop-With 'The Azure CLI is not signed in: az login, then the same azd command again.' }
    if ($env:GRAPH_TENANT_ID -and $env:GRAPH_TENANT_ID -ne $tenant) {
        Stop-With "The Azure CLI is signed in to another tenant than GRAPH_TENANT_ID: az login --tenant $env:GRAPH_TENANT_ID"
    }
    $tenant
}
