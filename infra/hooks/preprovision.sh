#!/bin/sh
# Makes the app registration, where the azd environment names none. preprovision.ps1 does the same on Windows.
# GRAPH_TENANT_ID is noted last: a run that broke off before is taken up where it stopped.
set -eu

stop() {
  printf '%s\n' "$*" >&2
  exit 1
}

[ -z "${GRAPH_CLIENT_ID:-}" ] || [ -z "${GRAPH_TENANT_ID:-}" ] || exit 0

command -v az >/dev/null || stop "The Azure CLI is missing: https://learn.microsoft.com/cli/azure/install-azure-cli"
tenant=$(az account show --query tenantId --output tsv) ||
  stop "The Azure CLI is not signed in: az login, then the same azd command again."
if [ -n "${AZURE_SUBSCRIPTION_ID:-}" ]; then
  home=$(az account show --subscription "$AZURE_SUBSCRIPTION_ID" --query tenantId --output tsv) ||
    stop "The Azure CLI doesn't know azd's subscription: az login to its tenant."
  [ "$home" = "$tenant" ] ||
    stop "The Azure CLI works in another tenant than azd: az account set --subscription $AZURE_SUBSCRIPTION_ID"
fi
[ "${GRAPH_TENANT_ID:-$tenant}" = "$tenant" ] ||
  stop "GRAPH_TENANT_ID is not the tenant of the Azure CLI: az login --tenant $GRAPH_TENANT_ID"

client=${GRAPH_CLIENT_ID:-}
if [ -z "$client" ]; then
  graph=00000003-0000-0000-c000-000000000000
  permission=Calls.InitiateGroupCall.All
  role=$(az ad sp show --id $graph --query "appRoles[?value=='$permission'].id" --output tsv)
  [ -n "$role" ] || stop "Microsoft Graph in this tenant has no permission $permission."
  manifest=$(mktemp)
  trap 'rm -f "$manifest"' EXIT
  printf '[{"resourceAppId": "%s", "resourceAccess": [{"id": "%s", "type": "Role"}]}]' $graph "$role" >"$manifest"
  client=$(az ad app create --display-name "Call Invites $AZURE_ENV_NAME" --sign-in-audience AzureADMyOrg \
    --required-resource-accesses "@$manifest" --query appId --output tsv)
  azd env set GRAPH_CLIENT_ID "$client" ||
    stop "Registration $client is there, but azd didn't note it: azd env set GRAPH_CLIENT_ID $client"
  echo "Made the app registration $client."
fi
principal=$(az ad sp list --filter "appId eq '$client'" --query "[].id" --output tsv)
[ -n "$principal" ] || az ad sp create --id "$client" --output none ||
  stop "Registration $client has no service principal yet: the same azd command again, in a minute."
azd env set GRAPH_TENANT_ID "$tenant"
