#!/usr/bin/env bash
# Installs the npm packages of the interoperation tests, as far as they are missing,
# from the lock file beside the script that uses them. Says at the end what there is.
set -euo pipefail
cd "$(dirname "$0")/testdata/node"

for program in node npm; do
	command -v "$program" >/dev/null || { echo "install.sh: $program is missing" >&2; exit 1; }
done

# npm writes the second file last.
if [[ ! node_modules/.package-lock.json -nt package-lock.json ]]; then
	npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	touch node_modules/.package-lock.json
fi

for package in client6 client4 client3 server6 server3; do
	node -p "const p = require('./node_modules/$package/package.json'); p.name + ' ' + p.version"
done
