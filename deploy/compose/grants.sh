#!/bin/sh
# docker compose exec mariadb sh /trialproof/grants.sh, after init and after each upgrade: gives the
# account that serves what it needs of the tables that there are now.
set -eu
secrets=${SECRETS:-/run/secrets}
mariadb --user=root --password="$(cat "$secrets/mariadb_root")" <"${SCRIPTS:-/trialproof/mysql}/grants.sql"
