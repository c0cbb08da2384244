#!/bin/sh
# Makes the passwords of compose.yaml, in ./secrets, and the folders ./made and ./backup, which the
# containers' user can write. Run it once, as root, in this folder; it writes over nothing.
set -eu
cd "$(dirname "$0")"
umask 077
[ ! -e secrets ] || { echo "$PWD/secrets is there already" >&2; exit 1; }
random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
mkdir -p secrets made backup
random >secrets/mariadb-root
for account in owner server; do
	printf 'trialproof_%s:%s@tcp(mariadb:3306)/trialproof\n' $account "$(random)" >secrets/$account.dsn
done
chown -R 65532:65532 secrets made backup
