#!/usr/bin/env bash
# Installs what `make test` needs beside Go, as far as it is missing: a C compiler
# for the race detector, an emulator of arm64, and the peers of the
# interoperation tests. Debian packages come from apt-get, as root or through
# sudo; the npm package from the lock file beside the scripts that use it. Says at
# the end what there is.
set -euo pipefail
cd "$(dirname "$0")"
PATH=$PATH:/usr/sbin # where Debian has nginx and HAProxy

# Debian's own Python has Debian's python3-websockets; another one may come first
# in PATH.
python=/usr/bin/python3

has() { command -v "$1" >/dev/null; }

missing=()
has gcc || missing+=(gcc libc6-dev)
has node || missing+=(nodejs)
has npm || missing+=(npm)
has nginx || missing+=(nginx-light)
has haproxy || missing+=(haproxy)
has chromium || missing+=(chromium)
has qemu-aarch64-static || missing+=(qemu-user-static)
"$python" -c 'import websockets' 2>/dev/null || missing+=(python3-websockets)

if ((${#missing[@]})); then
	if ! has apt-get; then
		echo "install.sh: install these by hand, by whatever name they have here: ${missing[*]}" >&2
		exit 1
	fi
	root=()
	[[ $(id -u) == 0 ]] || root=(sudo)

	# The tests start nginx and HAProxy themselves, on ports of their own. Debian
	# asks policy-rc.d whether a package may start its service; 101 is no.
	policy=/usr/sbin/policy-rc.d
	if [[ ! -e $policy ]]; then
		trap '"${root[@]}" rm -f "$policy"' EXIT
		printf '#!/bin/sh\nexit 101\n' | "${root[@]}" tee "$policy" >/dev/null
		"${root[@]}" chmod 755 "$policy"
	fi
	apt() {
		"${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
			-o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 "$@" </dev/null
	}
	echo "installing ${missing[*]}"
	log=$(mktemp)
	if ! { apt update && apt install --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
		cat "$log" >&2
		exit 1
	fi
	rm "$log"
fi

# npm writes the second file last.
if [[ ! testdata/node/node_modules/.package-lock.json -nt testdata/node/package-lock.json ]]; then
	(cd testdata/node && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
	touch testdata/node/node_modules/.package-lock.json
fi

echo "node $(node --version), ws $(node -p 'require("./testdata/node/node_modules/ws/package.json").version')"
"$python" -c 'import sys, websockets; print("python", sys.version.split()[0] + ", websockets", websockets.version.version)'
chromium --version 2>/dev/null
nginx -v 2>&1
haproxy -v | sed -n 1p
