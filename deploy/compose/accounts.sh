#!/bin/sh
# Run by the mariadb image when its folder is empty: makes the two accounts, with the passwords
# that are in their connection strings.
set -eu
secrets=${SECRETS:-/run/secrets}
root() { mariadb --user=root --password="$(cat "$secrets/mariadb_root")"; }
root <"${SCRIPTS:-/trialproof/mysql}/accounts.sql"
for account in owner server; do
	password=$(sed -n 's/^[^:]*:\(.*\)@tcp(.*$/\1/p' "$secrets/${account}_dsn")
	[ -n "$password" ] || { echo "${account}_dsn has no password" >&2; exit 1; }
	echo "ALTER USER 'trialproof_$account'@'%' IDENTIFIED BY '$password' ACCOUNT UNLOCK;" | root
done
