#!/bin/sh
# Lets the app registration trust the app's identity, and prints what is left to do. postprovision.ps1 does the same in
# PowerShell.
set -eu
hooks=$(dirname "$0")
. "$hooks/common.sh"
client=$GRAPH_CLIENT_ID identity=$IDENTITY_PRINCIPAL_ID

list_trusted() {
  az ad app federated-credential list --id "$client" --query "[].[subject, name]" --output tsv
}

list_secrets() {
  az ad app credential list --id "$client" --query "$1" --output tsv
}

secrets="[?displayName=='call-invites']"
if [ "${GRAPH_CREDENTIAL:-managedIdentity}" = managedIdentity ]; then
  same "$AZURE_TENANT_ID" "$GRAPH_TENANT_ID" ||
    stop "The subscription and the registration are in two tenants: azd env set GRAPH_CREDENTIAL clientSecret"
  check_sign_in
  trusted=$(list_trusted)
  if ! printf '%s\n' "$trusted" | grep -q "^$identity"; then
    credential=$(mktemp)
    trap 'rm -f "$credential"' EXIT
    wanted=$(printf '{"name": "call-invites-%s", "issuer": "%s", "subject": "%s", "audiences": ["%s"]}' \
      "$identity" "$authority/$GRAPH_TENANT_ID/v2.0" "$identity" "$audience")
    echo "$wanted" >"$credential"
    az ad app federated-credential create --id "$client" --parameters "@$credential" --output none ||
      stop "An owner of the registration $client must add this federated credential to it, then azd up again:
$wanted"
    echo "The registration $client now trusts the app's identity."
  fi
  left=$(list_secrets "$secrets.keyId")
else
  # The Azure CLI is not needed here; without it, what is left is not listed.
  identity=
  trusted=$(list_trusted 2>/dev/null) || trusted=
  [ "$GRAPH_CREDENTIAL" = clientCertificate ] || secrets="sort_by($secrets, &startDateTime)[:-1]"
  left=$(list_secrets "$secrets.keyId" 2>/dev/null) || left=
fi

unused=$(
  printf '%s\n' "$trusted" | awk -v own="$identity" -v id="$client" '$1 != own && $2 ~ /^call-invites-/ {
    print "  az ad app federated-credential delete --id " id " --federated-credential-id " $2 }'
  for key in $left; do echo "  az ad app credential delete --id $client --key-id $key"; done
)
[ -z "$unused" ] || printf '%s\n' "" "This environment does not use these. If no other does, remove them:" "$unused"

consent="$portal/#view/Microsoft_AAD_RegisteredApps/ApplicationMenuBlade/~/CallAnAPI/appId/$client"
# az can't do it in other clouds.
[ $cloud != AzureCloud ] || consent="az ad app permission admin-consent --id $client
     or $consent"
cat <<END

What is left, where it isn't done yet (docs/deploy.md):
  1. A tenant administrator consents to $(paste -sd, "$hooks/permissions.txt" | sed 's/,/, /g'):
     $consent
  2. Where people should find the bot in Teams: make teams-app, which a Teams administrator uploads.
  3. A bot of your own that creates calls gives this as their callbackUri:
     $NOTIFICATIONS_URL
END
