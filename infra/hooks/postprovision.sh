#!/bin/sh
# Lets the app registration trust the app's identity, and says what is left to do. postprovision.ps1 does the same on
# Windows.
set -eu

stop() {
  printf '%s\n' "$*" >&2
  exit 1
}

cloud=$(az cloud show --query name --output tsv) || stop "The Azure CLI is missing or broken: az cloud show"
case $cloud in
  AzureUSGovernment)
    authority=https://login.microsoftonline.us portal=https://portal.azure.us
    audience=api://AzureADTokenExchangeUSGov
    ;;
  *)
    authority=https://login.microsoftonline.com portal=https://portal.azure.com
    audience=api://AzureADTokenExchange
    ;;
esac

if [ "${GRAPH_CREDENTIAL:-managedIdentity}" = managedIdentity ]; then
  [ "$AZURE_TENANT_ID" = "$GRAPH_TENANT_ID" ] ||
    stop "The subscription and the registration are in two tenants: azd env set GRAPH_CREDENTIAL clientSecret"
  trusted=$(az ad app federated-credential list --id "$GRAPH_CLIENT_ID" \
    --query "[?subject=='$IDENTITY_PRINCIPAL_ID'].name" --output tsv)
  if [ -z "$trusted" ]; then
    credential=$(mktemp)
    trap 'rm -f "$credential"' EXIT
    printf '{"name": "call-invites-%s", "issuer": "%s", "subject": "%s", "audiences": ["%s"]}' \
      "$IDENTITY_PRINCIPAL_ID" "$authority/$GRAPH_TENANT_ID/v2.0" "$IDENTITY_PRINCIPAL_ID" "$audience" >"$credential"
    az ad app federated-credential create --id "$GRAPH_CLIENT_ID" --parameters "@$credential" --output none ||
      stop "An owner of the registration $GRAPH_CLIENT_ID must add this federated credential to it, then azd up again:
  $(cat "$credential")"
    echo "The registration $GRAPH_CLIENT_ID now trusts the app's identity."
  fi
fi

consent="$portal/#view/Microsoft_AAD_RegisteredApps/ApplicationMenuBlade/~/CallAnAPI/appId/$GRAPH_CLIENT_ID"
# az can't do it in other clouds.
[ "$cloud" != AzureCloud ] || consent="az ad app permission admin-consent --id $GRAPH_CLIENT_ID
     or $consent"
cat <<END

What is left, where it isn't done yet (docs/deploy.md):
  1. A tenant administrator consents to Calls.InitiateGroupCall.All:
     $consent
  2. A Teams administrator lets people use the bot.
  3. Whatever creates the calls gives this as their callbackUri:
     $NOTIFICATIONS_URL
END
