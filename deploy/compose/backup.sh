#!/usr/bin/env bash
# Backs up PostgreSQL for a point-in-time restore: the journal (WAL) is received as it is written, and a base backup is made
# at the start and every night. Keeps the last BACKUP_KEEP base backups and the journal since the oldest of them.
# BACKUP_FOLDER: where to; PGHOST: the socket's folder. `backup.sh once` makes one base backup and ends.
set -euo pipefail

readonly folder=${BACKUP_FOLDER:?} keep=${BACKUP_KEEP:-7}
readonly journal=$folder/journal
export PGHOST=${PGHOST:-/run/postgresql} PGUSER=${PGUSER:-backup}

base_backup() {
  local name partial
  name=base-$(date --utc +%Y%m%dT%H%M%SZ)
  partial=$folder/partial
  rm -rf "$partial"
  pg_basebackup --pgdata="$partial" --format=tar --gzip --wal-method=fetch --checkpoint=fast --no-password
  # Only whole backups have the name of one.
  mv "$partial" "$folder/$name"
  echo "backup: $name is whole"
}

# The journal before the oldest base backup is of no use to anybody.
forget_old() {
  local bases oldest first history
  mapfile -t bases < <(find "$folder" -maxdepth 1 -name 'base-*' -type d | sort)
  while [[ ${#bases[@]} -gt keep ]]; do
    rm -rf "${bases[0]}"
    bases=("${bases[@]:1}")
  done
  oldest=${bases[0]}
  first=$(tar --extract --gzip --to-stdout --file="$oldest/base.tar.gz" backup_label \
    | sed -n 's/^START WAL LOCATION: .*(file \(.*\))$/\1/p')
  [[ -z $first ]] || pg_archivecleanup "$journal" "$first"
  # Journals that ended with a restore (restore.sh).
  for history in "$folder"/journal-until-*; do
    [[ ${history##*/journal-until-} > ${oldest##*/base-} ]] || rm -rf "$history"
  done
}

mkdir -p "$journal"
if [[ ${1:-} == once ]]; then
  base_backup
  forget_old
  exit 0
fi

pg_receivewal --create-slot --if-not-exists --slot=backup --no-password
pg_receivewal --directory="$journal" --slot=backup --synchronous --no-password &
receiver=$!
rest=
# Nothing of it outlives it: neither what receives, nor the sleep until the next night.
trap 'kill "$receiver" ${rest:+"$rest"} 2>/dev/null' EXIT
trap 'exit 0' TERM INT

while kill -0 "$receiver" 2>/dev/null; do
  base_backup
  forget_old
  # Until the next night at two, or until the receiver ends, which restarts the container.
  next=$(date --utc --date='tomorrow 02:00' +%s)
  sleep $((next - $(date --utc +%s))) &
  rest=$!
  wait -n "$receiver" "$rest" || true
done
echo "backup: the journal is received no more" >&2
exit 1
