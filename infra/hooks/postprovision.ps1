# Lets the app registration trust the app's identity, and says what is left to do. postprovision.sh does the same
# elsewhere.
$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $false # $LASTEXITCODE is asked instead

function Stop-With([string] $Message) {
    [Console]::Error.WriteLine($Message)
    exit 1
}

$cloud = az cloud show --query name --output tsv
if ($LASTEXITCODE -ne 0) { Stop-With 'The Azure CLI is missing or broken: az cloud show' }
if ($cloud -eq 'AzureUSGovernment') {
    $authority, $portal = 'https://login.microsoftonline.us', 'https://portal.azure.us'
    $audience = 'api://AzureADTokenExchangeUSGov'
}
else {
    $authority, $portal = 'https://login.microsoftonline.com', 'https://portal.azure.com'
    $audience = 'api://AzureADTokenExchange'
}
$client, $identity = $env:GRAPH_CLIENT_ID, $env:IDENTITY_PRINCIPAL_ID

if (-not $env:GRAPH_CREDENTIAL -or $env:GRAPH_CREDENTIAL -eq 'managedIdentity') {
    if ($env:AZURE_TENANT_ID -ne $env:GRAPH_TENANT_ID) {
        Stop-With 'The subscription and the registration are in two tenants: azd env set GRAPH_CREDENTIAL clientSecret'
    }
    $trusted = az ad app federated-credential list --id $client --query "[?subject=='$identity'].name" --output tsv
    if ($LASTEXITCODE -ne 0) { exit 1 }
    if (-not $trusted) {
        $credential = New-TemporaryFile
        try {
            # From a file, since the quotes of JSON don't get through to az on Windows.
            @{
                name      = "call-invites-$identity"
                issuer    = "$authority/$env:GRAPH_TENANT_ID/v2.0"
                subject   = $identity
                audiences = @($audience)
            } | ConvertTo-Json | Set-Content -Path $credential -Encoding ascii
            az ad app federated-credential create --id $client --parameters "@$credential" --output none
            if ($LASTEXITCODE -ne 0) {
                $what = Get-Content -Path $credential -Raw
                Stop-With "An owner of the registration $client must add this federated credential to it, then azd up again:`n$what"
            }
        }
        finally {
            Remove-Item $credential
        }
        Write-Output "The registration $client now trusts the app's identity."
    }
}

$consent = "$portal/#view/Microsoft_AAD_RegisteredApps/ApplicationMenuBlade/~/CallAnAPI/appId/$client"
# az can't do it in other clouds.
if ($cloud -eq 'AzureCloud') { $consent = "az ad app permission admin-consent --id $client`n     or $consent" }
Write-Output @"

What is left, where it isn't done yet (docs/deploy.md):
  1. A tenant administrator consents to Calls.InitiateGroupCall.All:
     $consent
  2. A Teams administrator lets people use the bot.
  3. Whatever creates the calls gives this as their callbackUri:
     $env:NOTIFICATIONS_URL
"@
