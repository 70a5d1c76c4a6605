# What both hooks need. common.ps1 does the same in PowerShell.
# shellcheck shell=sh disable=SC2034 # the hooks use the variables

stop() {
  printf '%s\n' "$*" >&2
  exit 1
}

# Compares two ids, whose capitals don't count.
same() {
  [ "$(printf %s "$1" | tr '[:upper:]' '[:lower:]')" = "$(printf %s "$2" | tr '[:upper:]' '[:lower:]')" ]
}

case ${GRAPH_CLOUD:-global} in
  us-gov-*)
    cloud=AzureUSGovernment graph=https://graph.microsoft.us portal=https://portal.azure.us
    authority=https://login.microsoftonline.us audience=api://AzureADTokenExchangeUSGov
    ;;
  *)
    cloud=AzureCloud graph=https://graph.microsoft.com portal=https://portal.azure.com
    authority=https://login.microsoftonline.com audience=api://AzureADTokenExchange
    ;;
esac

need_az() {
  command -v az >/dev/null || stop "The Azure CLI is missing: https://learn.microsoft.com/cli/azure/install-azure-cli"
}

# Stops unless the Azure CLI can change the registration. Sets tenant.
check_sign_in() {
  need_az
  current=$(az cloud show --query name --output tsv) || stop "The Azure CLI is broken: az cloud show"
  [ "$current" = "$cloud" ] ||
    stop "GRAPH_CLOUD needs $cloud, and the Azure CLI is set to $current: az cloud set --name $cloud, then az login"
  tenant=$(az account show --query tenantId --output tsv) ||
    stop "The Azure CLI is not signed in: az login, then the same azd command again."
  same "${GRAPH_TENANT_ID:-$tenant}" "$tenant" ||
    stop "The Azure CLI is signed in to another tenant than GRAPH_TENANT_ID: az login --tenant $GRAPH_TENANT_ID"
}
