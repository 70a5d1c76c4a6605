# Lets the app registration trust the app's identity, and prints what is left to do. postprovision.sh does the same in
# sh.
. "$PSScriptRoot/common.ps1"
$client, $identity = $env:GRAPH_CLIENT_ID, $env:IDENTITY_PRINCIPAL_ID

function Get-Trusted {
    az ad app federated-credential list --id $client --query '[].[subject, name]' --output tsv
}

function Get-Secrets([string] $Query) {
    az ad app credential list --id $client --query $Query --output tsv
}

$secrets = "[?displayName=='call-invites']"
if (-not $env:GRAPH_CREDENTIAL -or $env:GRAPH_CREDENTIAL -eq 'managedIdentity') {
    if ($env:AZURE_TENANT_ID -ne $env:GRAPH_TENANT_ID) {
        Stop-With 'The subscription and the registration are in two tenants: azd env set GRAPH_CREDENTIAL clientSecret'
    }
    $null = Assert-SignIn
    $trusted = Get-Trusted
    if ($LASTEXITCODE -ne 0) { exit 1 }
    if (-not ($trusted -match "^$identity")) {
        $credential = New-TemporaryFile
        try {
            $wanted = @{
                name      = "call-invites-$identity"
                issuer    = "$authority/$env:GRAPH_TENANT_ID/v2.0"
                subject   = $identity
                audiences = @($audience)
            } | ConvertTo-Json
            Set-Content -Path $credential -Encoding ascii -Value $wanted
            az ad app federated-credential create --id $client --parameters "@$credential" --output none
            if ($LASTEXITCODE -ne 0) {
                Stop-With @"
An owner of the registration $client must add this federated credential to it, then azd up again:
$wanted
"@
            }
        }
        finally {
            Remove-Item $credential
        }
        Write-Output "The registration $client now trusts the app's identity."
    }
    $left = Get-Secrets "$secrets.keyId"
    if ($LASTEXITCODE -ne 0) { exit 1 }
}
else {
    # The Azure CLI is not needed here; without it, what is left is not listed.
    $identity, $trusted, $left = '', @(), @()
    if ($env:GRAPH_CREDENTIAL -ne 'clientCertificate') { $secrets = "sort_by($secrets, &startDateTime)[:-1]" }
    if (Get-Command az -ErrorAction SilentlyContinue) {
        $trusted = Get-Trusted 2>$null
        $left = Get-Secrets "$secrets.keyId" 2>$null
    }
}

$unused = @(
    foreach ($line in $trusted) {
        $subject, $name = $line -split '\s+'
        if ($subject -ne $identity -and $name -clike 'call-invites-*') {
            "  az ad app federated-credential delete --id $client --federated-credential-id $name"
        }
    }
    foreach ($key in $left) { "  az ad app credential delete --id $client --key-id $key" }
)
if ($unused) { Write-Output '' 'This environment does not use these. If no other does, remove them:' $unused }

$consent = "$portal/#view/Microsoft_AAD_RegisteredApps/ApplicationMenuBlade/~/CallAnAPI/appId/$client"
# az can't do it in other clouds.
if ($cloud -eq 'AzureCloud') { $consent = "az ad app permission admin-consent --id $client`n     or $consent" }
Write-Output @"

What is left, where it isn't done yet (docs/deploy.md):
  1. A tenant administrator consents to $((Get-Content "$PSScriptRoot/permissions.txt") -join ', '):
     $consent
  2. Where people should find the bot in Teams: make teams-app, which a Teams administrator uploads.
  3. A bot of your own that creates calls gives this as their callbackUri:
     $env:NOTIFICATIONS_URL
"@
# A list that failed is no failure of this hook.
exit 0
