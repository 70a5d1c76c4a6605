#!/bin/sh
# Checks what azd does not check, and makes the app registration where the azd environment names none. preprovision.ps1
# does the same in PowerShell. GRAPH_TENANT_ID is noted last: a run that broke off before continues where it stopped.
set -eu
hooks=$(dirname "$0")
. "$hooks/common.sh"

# azd takes a mistyped switch for its default without a message.
faults=$(while read -r name pattern words; do
  eval "value=\${$name-}"
  [ -z "$value" ] || printf '%s' "$value" | tr '\n' ' ' | LC_ALL=C grep -Eqx -e "$pattern" ||
    printf '  %s must be %s\n' "$name" "$words"
done <"$hooks/settings.txt")
[ -z "$faults" ] || stop "These settings are wrong; change each with azd env set:
$faults"

registered=${GRAPH_CLIENT_ID:+${GRAPH_TENANT_ID:-}}
credential=${GRAPH_CREDENTIAL:-managedIdentity}
deployed=${AZURE_FUNCTION_NAME:-}
[ -n "$deployed" ] || { [ -n "${AZURE_SUBSCRIPTION_ID:-}" ] && [ -n "${AZURE_LOCATION:-}" ]; } ||
  stop "Choose subscription and region first: azd env set AZURE_SUBSCRIPTION_ID, azd env set AZURE_LOCATION"

if [ -z "$registered" ] || { [ "$credential" = managedIdentity ] && [ -z "$deployed" ]; }; then
  check_sign_in
  home=$(az account show --subscription "$AZURE_SUBSCRIPTION_ID" --query tenantId --output tsv) ||
    stop "The Azure CLI doesn't know azd's subscription: az login to its tenant."
  same "$home" "$tenant" ||
    stop "The Azure CLI works in another tenant than azd: az account set --subscription $AZURE_SUBSCRIPTION_ID
Where the registration must be in another tenant than the subscription: docs/deploy.md, Two tenants."
  regions=$(az functionapp list-flexconsumption-locations --query "[].name" --output tsv)
  printf '%s\n' "$regions" | grep -qxF -e "$AZURE_LOCATION" ||
    stop "Flex Consumption is not available in $AZURE_LOCATION. Choose one of these with azd env set AZURE_LOCATION:
$regions"
fi

# Azure registers the providers of what is deployed by itself; this one belongs to a subnet only.
if [ "${VNET_ENABLED:-false}" = true ] && [ "${STORAGE_CLOSED:-false}" != true ]; then
  need_az
  state=$(az provider show --namespace Microsoft.App --subscription "$AZURE_SUBSCRIPTION_ID" \
    --query registrationState --output tsv)
  [ "$state" = Registered ] ||
    az provider register --namespace Microsoft.App --subscription "$AZURE_SUBSCRIPTION_ID" --wait ||
    stop "The virtual network needs the provider Microsoft.App, and you may not register it. Ask an owner of the subscription."
fi
[ -z "$registered" ] || exit 0

client=${GRAPH_CLIENT_ID:-}
if [ -z "$client" ]; then
  name="Call Invites $AZURE_ENV_NAME"
  # Not az ad app create: it would change a registration of the same name, which may be another person's.
  taken=$(az ad app list --filter "displayName eq '$name'" --query "[].appId" --output tsv)
  [ -z "$taken" ] || stop "There is a registration named $name already, with this id:
$taken
If it is yours, azd env set GRAPH_CLIENT_ID to this id; else choose another environment name with azd env new."
  api=00000003-0000-0000-c000-000000000000
  roles=$(az ad sp show --id $api --query "appRoles[].[value, id]" --output tsv)
  access=
  while read -r permission; do
    role=$(printf '%s\n' "$roles" | awk -v wanted="$permission" '$1 == wanted { print $2 }')
    [ -n "$role" ] || stop "Microsoft Graph in this tenant has no permission $permission."
    access="$access${access:+, }{\"id\": \"$role\", \"type\": \"Role\"}"
  done <"$hooks/permissions.txt"
  body=$(mktemp)
  trap 'rm -f "$body"' EXIT
  printf '{"displayName": "%s", "signInAudience": "AzureADMyOrg", "requiredResourceAccess": [%s]}' "$name" \
    "{\"resourceAppId\": \"$api\", \"resourceAccess\": [$access]}" >"$body"
  client=$(az rest --method post --url "$graph/v1.0/applications" --body "@$body" --query appId --output tsv) ||
    stop "The registration could not be made. A person who may register applications makes it (docs/deploy.md, App registration)."
  azd env set GRAPH_CLIENT_ID "$client" ||
    stop "Registration $client is there, but azd didn't note it: azd env set GRAPH_CLIENT_ID $client"
  echo "Made the app registration $client."
fi

principal=$(az ad sp list --filter "appId eq '$client'" --query "[].id" --output tsv)
# Entra ID needs up to some minutes until a new registration is known everywhere.
for pause in 5 10 20 40 60 last; do
  [ -z "$principal" ] || break
  message=$(az ad sp create --id "$client" --output none 2>&1) && break
  case $pause-$message in
    last-* | *rivileges* | *Authorization*)
      stop "Registration $client has no service principal yet: the same azd command again, in a minute. The Azure CLI printed:
$message"
      ;;
  esac
  sleep "$pause"
done
azd env set GRAPH_TENANT_ID "$tenant"
