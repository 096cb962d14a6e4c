#!/bin/bash
# Takes everything back that install.sh brought; configuration and rules, too, with --purge.
set -euo pipefail
exec bash "$(dirname "$0")/install.sh" --uninstall "$@"
