#!/bin/sh
# Installs Chromium for the browser tests, from the distribution's packages; does nothing where it is there already.
set -eu
if command -v chromium >/dev/null 2>&1; then exit 0; fi
if ! command -v apt-get >/dev/null 2>&1; then
  echo 'chromium is missing and there is no apt-get: install it as /usr/bin/chromium' >&2
  exit 1
fi
as_root=''
if [ "$(id -u)" -ne 0 ]; then as_root='sudo'; fi
$as_root apt-get update -qq
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium
