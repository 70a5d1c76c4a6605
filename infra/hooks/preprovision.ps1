# Checks what azd does not check, and makes the app registration where the azd environment names none. preprovision.sh
# does the same in sh. GRAPH_TENANT_ID is noted last: a run that broke off before continues where it stopped.
. "$PSScriptRoot/common.ps1"

# azd takes a mistyped switch for its default without a message.
$faults = foreach ($line in Get-Content "$PSScriptRoot/settings.txt") {
    $name, $pattern, $words = $line -split ' ', 3
    $value = [Environment]::GetEnvironmentVariable($name)
    if ($value -and $value -cnotmatch "(?s)\A(?:$pattern)\z") { "  $name must be $words" }
}
if ($faults) {
    Stop-With @"
These settings are wrong; change each with azd env set:
$($faults -join "`n")
"@
}

$registered = $env:GRAPH_CLIENT_ID -and $env:GRAPH_TENANT_ID
$identity = -not $env:GRAPH_CREDENTIAL -or $env:GRAPH_CREDENTIAL -eq 'managedIdentity'
$deployed = $env:AZURE_FUNCTION_NAME
if (-not $deployed -and -not ($env:AZURE_SUBSCRIPTION_ID -and $env:AZURE_LOCATION)) {
    Stop-With 'Choose subscription and region first: azd env set AZURE_SUBSCRIPTION_ID, azd env set AZURE_LOCATION'
}

if (-not $registered -or ($identity -and -not $deployed)) {
    $tenant = Assert-SignIn
    $homeTenant = az account show --subscription $env:AZURE_SUBSCRIPTION_ID --query tenantId --output tsv
    if ($LASTEXITCODE -ne 0) { Stop-With "The Azure CLI doesn't know azd's subscription: az login to its tenant." }
    if ($homeTenant -ne $tenant) {
        Stop-With @"
The Azure CLI works in another tenant than azd: az account set --subscription $env:AZURE_SUBSCRIPTION_ID
Where the registration must be in another tenant than the subscription: docs/deploy.md, Two tenants.
"@
    }
    $regions = az functionapp list-flexconsumption-locations --query '[].name' --output tsv
    if ($LASTEXITCODE -ne 0) { exit 1 }
    if ($regions -cnotcontains $env:AZURE_LOCATION) {
        Stop-With @"
Flex Consumption is not available in $env:AZURE_LOCATION. Choose one of these with azd env set AZURE_LOCATION:
$($regions -join "`n")
"@
    }
}

# Azure registers the providers of what is deployed by itself; this one belongs to a subnet only.
if ($env:VNET_ENABLED -eq 'true' -and $env:STORAGE_CLOSED -ne 'true') {
    Assert-Az
    $state = az provider show --namespace Microsoft.App --subscription $env:AZURE_SUBSCRIPTION_ID `
        --query registrationState --output tsv
    if ($LASTEXITCODE -ne 0) { exit 1 }
    if ($state -ne 'Registered') {
        az provider register --namespace Microsoft.App --subscription $env:AZURE_SUBSCRIPTION_ID --wait
        if ($LASTEXITCODE -ne 0) {
            Stop-With 'The virtual network needs the provider Microsoft.App, and you may not register it. Ask an owner of the subscription.'
        }
    }
}
if ($registered) { exit 0 }

$client = $env:GRAPH_CLIENT_ID
if (-not $client) {
    $name = "Call Invites $env:AZURE_ENV_NAME"
    # Not az ad app create: it would change a registration of the same name, which may be another person's.
    $taken = az ad app list --filter "displayName eq '$name'" --query '[].appId' --output tsv
    if ($LASTEXITCODE -ne 0) { exit 1 }
    if ($taken) {
        Stop-With @"
There is a registration named $name already, with this id:
$($taken -join "`n")
If it is yours, azd env set GRAPH_CLIENT_ID to this id; else choose another environment name with azd env new.
"@
    }
    $api = '00000003-0000-0000-c000-000000000000'
    $roles = az ad sp show --id $api --query 'appRoles[].[value, id]' --output tsv
    if ($LASTEXITCODE -ne 0) { exit 1 }
    $access = foreach ($permission in Get-Content "$PSScriptRoot/permissions.txt") {
        $role = $roles | ForEach-Object { , ($_ -split '\s+') } | Where-Object { $_[0] -ceq $permission }
        if (-not $role) { Stop-With "Microsoft Graph in this tenant has no permission $permission." }
        @{ id = @($role)[1]; type = 'Role' }
    }
    $body = New-TemporaryFile
    try {
        # From a file, since the quotes of JSON don't get through to az on Windows.
        @{
            displayName            = $name
            signInAudience         = 'AzureADMyOrg'
            requiredResourceAccess = @(@{ resourceAppId = $api; resourceAccess = @($access) })
        } | ConvertTo-Json -Depth 5 | Set-Content -Path $body -Encoding ascii
        $client = az rest --method post --url "$graph/v1.0/applications" --body "@$body" --query appId --output tsv
        if ($LASTEXITCODE -ne 0) {
            Stop-With 'The registration could not be made. A person who may register applications makes it (docs/deploy.md, App registration).'
        }
    }
    finally {
        Remove-Item $body
    }
    azd env set GRAPH_CLIENT_ID $client
    if ($LASTEXITCODE -ne 0) {
        Stop-With "Registration $client is there, but azd didn't note it: azd env set GRAPH_CLIENT_ID $client"
    }
    Write-Output "Made the app registration $client."
}

$principal = az ad sp list --filter "appId eq '$client'" --query '[].id' --output tsv
if ($LASTEXITCODE -ne 0) { exit 1 }
# Entra ID needs up to some minutes until a new registration is known everywhere.
foreach ($pause in 5, 10, 20, 40, 60, 0) {
    if ($principal) { break }
    $message = az ad sp create --id $client --output none 2>&1 | Out-String
    if ($LASTEXITCODE -eq 0) { break }
    if (-not $pause -or $message -cmatch 'rivileges|Authorization') {
        Stop-With @"
Registration $client has no service principal yet: the same azd command again, in a minute. The Azure CLI printed:
$message
"@
    }
    Start-Sleep $pause
}
azd env set GRAPH_TENANT_ID $tenant
exit $LASTEXITCODE
