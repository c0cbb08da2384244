#!/bin/sh
# Makes version-N.zip, by which TestUpgrade tries that a later program goes on with what the
# programs of an earlier release have left:
#
#	sh make.sh VERSION BIN SOCKET
#
# BIN is the folder of that release's trial, triallog and trialwitness, and SOCKET that of a MariaDB
# in which root needs no password. Do it before a change of the tables, with the release before it.
# The archive has a log in SQLite, whose server was killed, one in MariaDB, as the statements that
# make its database, their witness, and everybody's keys, which have no other purpose.
set -eu
out=$PWD/version-$1.zip
PATH=$2:$PATH
client="--no-defaults --socket=$3 --user=root"
dsn="root@unix($3)/upgrade_fixture"
work=$(mktemp -d)
trap 'kill $servers 2>/dev/null || :; rm -rf "$work"' EXIT
servers=
cd "$work"
export XDG_CONFIG_HOME="$work"
# shellcheck disable=SC2086 # the options are words
mariadb $client -e 'CREATE DATABASE upgrade_fixture'
trial keygen -name "Rita Registrar" -org registrar -out registrar
trial keygen -name "Ada Lovelace" -org acme -out ada
trialwitness keygen -name w1.example -key w1.key >w1.vkey
triallog init -dir sqlite -origin log.example/sqlite -registrar registrar.pub >sqlite.vkey
triallog init -dir mysql -origin log.example/mysql -registrar registrar.pub -mysql "$dsn" >mysql.vkey
trialwitness serve -key w1.key -dir w1 -listen 127.0.0.1:18181 -log "$(cat sqlite.vkey)" -log "$(cat mysql.vkey)" 2>w1.log &
witness=$!
servers=$witness
port=18182
for log in sqlite mysql; do
	printf 'log %s\nwitness w1 %s http://127.0.0.1:18181\nquorum w1\n' "$(cat $log.vkey)" "$(cat w1.vkey)" >$log/policy
	store=
	[ $log = sqlite ] || store=$dsn
	TRIALPROOF_MYSQL=$store triallog serve -dir $log -listen 127.0.0.1:$port 2>$log.log &
	server=$!
	servers="$servers $server"
	url=http://127.0.0.1:$port
	until curl -sf $url/readyz >/dev/null; do sleep 0.1; done
	trial org -log $url -policy $log/policy -key registrar.key -id acme -name Acme ada.pub
	trial register -settle 0s -log $url -policy $log/policy -key ada.key -number X-1
	for n in 1 2 3 4 5; do
		echo "document $n of $log" >$log-$n.txt
		trial submit -settle 0s -log $url -policy $log/policy -key ada.key -trial X-1 -kind document $log-$n.txt
	done
	signal=TERM
	[ $log != sqlite ] || signal=KILL
	kill -$signal $server
	wait $server || :
	port=$((port + 1))
done
kill $witness
wait $witness || :
# shellcheck disable=SC2086
mariadb-dump $client --compact --hex-blob --skip-extended-insert --complete-insert upgrade_fixture >mysql.sql
# shellcheck disable=SC2086
mariadb $client -e 'DROP DATABASE upgrade_fixture'
rm -f ./*.log ./*/lock ./*/*-shm org-* registration-* ./*.vkey
python3 -m zipfile -c "$out" ./*
