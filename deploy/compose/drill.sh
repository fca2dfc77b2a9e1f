#!/usr/bin/env bash
# Proves backup.sh and restore.sh on a PostgreSQL of its own (on a socket, in a temporary folder): to a moment between two commits,
# again to one in the life after that, and to the latest. Needs PostgreSQL's server programs; as root it goes on as `postgres`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

programs=${PG_BIN:-$(compgen -G '/usr/lib/postgresql/*/bin' | sort --version-sort | tail -n 1)}
if [[ $EUID -eq 0 ]]; then
  # It may not be able to look into this folder.
  copy=$(mktemp --directory)
  cp ./*.sh "$copy"
  chown -R postgres "$copy"
  trap 'rm -rf "$copy"' EXIT
  PG_BIN=$programs setpriv --reuid=postgres --regid=postgres --clear-groups bash "$copy/drill.sh"
  exit
fi

place=$(mktemp --directory)
mkdir "$place/run" "$place/backups" "$place/volume"
export PATH=$programs:$PATH PGHOST=$place/run
export BACKUP_FOLDER=$place/backups BACKUP_KEEP=2 DATABASE_VOLUME=$place/volume DATABASE_MOUNT=$place/volume
backups=

ask() { psql --username=postgres --quiet --no-align --tuples-only --command="$1"; }

until_true() {
  local attempt
  for attempt in {1..300}; do
    if "$@" 2>/dev/null; then return 0; fi
    sleep 0.1
  done
  echo "drill: waited in vain for: $* ($attempt times)" >&2
  cat "$place"/*.log >&2
  exit 1
}

writes() { [[ $(ask 'SELECT pg_is_in_recovery()') == f ]]; }
has_base() { compgen -G "$BACKUP_FOLDER/base-*" >/dev/null && [[ $(find "$BACKUP_FOLDER" -name 'base-*' -newer "$place/begun") ]]; }
has_received() { [[ $(ask "SELECT flush_lsn >= pg_current_wal_flush_lsn() FROM pg_stat_replication WHERE application_name = 'pg_receivewal'") == t ]]; }
next_second() { [[ $(date +%s) -gt $1 ]]; }

start_database() {
  pg_ctl --pgdata="$DATABASE_VOLUME/pgdata" --log="$place/database.log" --wait --silent \
    --options="-c listen_addresses= -c wal_level=replica -c fsync=off -k $PGHOST" start
  until_true writes
}

stop_database() { pg_ctl --pgdata="$DATABASE_VOLUME/pgdata" --mode=fast --wait --silent stop; }

start_backups() {
  touch "$place/begun"
  until_true next_second "$(date +%s)"
  bash backup.sh >"$place/backups.log" 2>&1 &
  backups=$!
  until_true has_base
  # A moment belongs to the backups before its second.
  until_true next_second "$(date +%s)"
}

stop_backups() {
  until_true has_received
  kill "$backups"
  wait "$backups" || true
  backups=
}

finish() {
  [[ -z $backups ]] || kill "$backups" 2>/dev/null || true
  pg_ctl --pgdata="$DATABASE_VOLUME/pgdata" --mode=immediate --silent stop 2>/dev/null || true
  rm -rf "$place"
}
trap finish EXIT

expect() {
  local found
  found=$(ask "SELECT string_agg(x::text, ',' ORDER BY x) FROM t")
  [[ $found == "$1" ]] || { echo "drill: $2: expected $1, found $found" >&2; exit 1; }
  echo "drill: $2: $found"
}

initdb --pgdata="$DATABASE_VOLUME/pgdata" --username=postgres --auth=trust --no-sync >/dev/null
start_database
ask "CREATE ROLE backup LOGIN REPLICATION; CREATE TABLE t (x int)"
start_backups
ask "INSERT INTO t VALUES (1)"
moment=$(ask "SELECT clock_timestamp()")
ask "INSERT INTO t VALUES (2)"
stop_backups
stop_database

bash restore.sh "$moment"
start_database
expect 1 "between two commits"

start_backups
ask "INSERT INTO t VALUES (3)"
moment=$(ask "SELECT clock_timestamp()")
ask "INSERT INTO t VALUES (4)"
stop_backups
stop_database

bash restore.sh "$moment"
start_database
expect 1,3 "again, in the life after the first restore"
stop_database

bash restore.sh latest
start_database
expect 1,3,4 "the latest"

bash backup.sh once
until_true next_second "$(date +%s)"
bash backup.sh once
left=$(cd "$BACKUP_FOLDER" && echo base-* journal*)
[[ $(wc -w <<<"$left") -eq 3 ]] || { echo "drill: too much or too little is kept: $left" >&2; exit 1; }
echo "drill: kept: $left"
