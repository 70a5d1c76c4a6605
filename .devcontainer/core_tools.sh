#!/bin/sh
# Installs Azure Functions Core Tools from Microsoft's packages for Debian, where there are some for this processor.
# Where there are none the container is made all the same, since `make run` then starts the app on dev.host.
set -eu

package=$(mktemp)
trap 'rm -f "$package"' EXIT
# shellcheck source=/dev/null
version=$(. /etc/os-release && echo "$VERSION_ID")
if curl --fail --silent --show-error --location --output "$package" \
    "https://packages.microsoft.com/config/debian/$version/packages-microsoft-prod.deb" &&
    sudo dpkg --install "$package" &&
    sudo apt-get update --quiet &&
    sudo apt-get install --quiet --yes azure-functions-core-tools-4; then
    func --version
else
    echo "Azure Functions Core Tools are not to be had here: \`make run\` starts the app on dev.host instead."
fi
