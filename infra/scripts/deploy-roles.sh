#!/bin/sh
# Brings the package of the API app to the apps of the other roles (work, lifecycle). azd deploys one app per service; these are
# the same package with other settings. Needs az (signed in by `az login`), zip, and the outputs of `azd provision` in the environment.
set -eu

: "${RESOURCE_GROUP:?run azd provision first}"
: "${MESHWRIGHT_APPS:?run azd provision first}"
: "${AZURE_SUBSCRIPTION_ID:?run azd provision first}"

package=$(mktemp -d)/meshwright.zip
trap 'rm -rf "$(dirname "$package")"' EXIT
zip -qr "$package" host.json package.json dist

# The first app is the API's, which azd has deployed. MESHWRIGHT_APPS is a JSON array of names.
for app in $(printf '%s' "$MESHWRIGHT_APPS" | tr -d '[]"' | tr ',' ' ' | cut -d ' ' -f 2-); do
  [ "$app" = "$(printf '%s' "$MESHWRIGHT_APPS" | tr -d '[]" ' | cut -d , -f 1)" ] && continue
  echo "deploying $app"
  az functionapp deployment source config-zip --subscription "$AZURE_SUBSCRIPTION_ID" --resource-group "$RESOURCE_GROUP" \
    --name "$app" --src "$package" --build-remote false --output none
done
