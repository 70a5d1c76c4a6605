# Makes the app registration, where the azd environment names none. preprovision.sh does the same elsewhere.
# GRAPH_TENANT_ID is noted last: a run that broke off before is taken up where it stopped.
$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $false # $LASTEXITCODE is asked instead

function Stop-With([string] $Message) {
    [Console]::Error.WriteLine($Message)
    exit 1
}

if ($env:GRAPH_CLIENT_ID -and $env:GRAPH_TENANT_ID) { exit 0 }

if (-not (Get-Command az -ErrorAction SilentlyContinue)) {
    Stop-With 'The Azure CLI is missing: https://learn.microsoft.com/cli/azure/install-azure-cli'
}
$tenant = az account show --query tenantId --output tsv
if ($LASTEXITCODE -ne 0) { Stop-With 'The Azure CLI is not signed in: az login, then the same azd command again.' }
if ($env:AZURE_SUBSCRIPTION_ID) {
    $homeTenant = az account show --subscription $env:AZURE_SUBSCRIPTION_ID --query tenantId --output tsv
    if ($LASTEXITCODE -ne 0) { Stop-With "The Azure CLI doesn't know azd's subscription: az login to its tenant." }
    if ($homeTenant -ne $tenant) {
        Stop-With "The Azure CLI works in another tenant than azd: az account set --subscription $env:AZURE_SUBSCRIPTION_ID"
    }
}
if ($env:GRAPH_TENANT_ID -and $env:GRAPH_TENANT_ID -ne $tenant) {
    Stop-With "GRAPH_TENANT_ID is not the tenant of the Azure CLI: az login --tenant $env:GRAPH_TENANT_ID"
}

$client = $env:GRAPH_CLIENT_ID
if (-not $client) {
    $graph = '00000003-0000-0000-c000-000000000000'
    $permission = 'Calls.InitiateGroupCall.All'
    $role = az ad sp show --id $graph --query "appRoles[?value=='$permission'].id" --output tsv
    if ($LASTEXITCODE -ne 0) { exit 1 }
    if (-not $role) { Stop-With "Microsoft Graph in this tenant has no permission $permission." }
    $manifest = New-TemporaryFile
    try {
        # From a file, since the quotes of JSON don't get through to az on Windows.
        "[{`"resourceAppId`": `"$graph`", `"resourceAccess`": [{`"id`": `"$role`", `"type`": `"Role`"}]}]" |
            Set-Content -Path $manifest -Encoding ascii
        $client = az ad app create --display-name "Call Invites $env:AZURE_ENV_NAME" --sign-in-audience AzureADMyOrg `
            --required-resource-accesses "@$manifest" --query appId --output tsv
        if ($LASTEXITCODE -ne 0) { exit 1 }
    }
    finally {
        Remove-Item $manifest
    }
    azd env set GRAPH_CLIENT_ID $client
    if ($LASTEXITCODE -ne 0) {
        Stop-With "Registration $client is there, but azd didn't note it: azd env set GRAPH_CLIENT_ID $client"
    }
    Write-Output "Made the app registration $client."
}
$principal = az ad sp list --filter "appId eq '$client'" --query "[].id" --output tsv
if ($LASTEXITCODE -ne 0) { exit 1 }
if (-not $principal) {
    az ad sp create --id $client --output none
    if ($LASTEXITCODE -ne 0) {
        Stop-With "Registration $client has no service principal yet: the same azd command again, in a minute."
    }
}
azd env set GRAPH_TENANT_ID $tenant
exit $LASTEXITCODE
