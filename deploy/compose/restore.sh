#!/usr/bin/env bash
# Puts the database of deploy/compose.yaml back to a moment: `restore.sh "2026-11-22 08:30:00+00"`, or `restore.sh latest`.
# Run it while service, database and backups are stopped. What was there before is kept: the database as pgdata-before-…, its
# journal as journal-until-…. The database replays the journal when it is started next, and begins a new one.
set -euo pipefail

readonly moment=${1:?the moment, as 2026-11-22 08:30:00+00, or latest}
readonly folder=${BACKUP_FOLDER:?} volume=${DATABASE_VOLUME:?} inside=${DATABASE_MOUNT:-/var/lib/postgresql/data}

# The newest base backup that was begun before the moment.
choose() {
  local name limit=z found=
  [[ $moment == latest ]] || limit=$(date --utc --date="$moment" +%Y%m%dT%H%M%SZ)
  while read -r name; do
    [[ ${name#base-} < $limit ]] && found=$name
  done < <(find "$folder" -maxdepth 1 -name 'base-*' -type d -printf '%f\n' | sort)
  [[ -n $found ]] || { echo "restore: there is no base backup from before $moment" >&2; exit 1; }
  echo "$found"
}

base=$(choose)
if [[ -e $volume/pgdata/postmaster.pid ]]; then
  echo "restore: stop the database first; if it died, start it once and stop it" >&2
  exit 1
fi
now=$(date --utc +%Y%m%dT%H%M%SZ)
rm -rf "$volume/restored" "$volume"/journal*
mkdir -m 700 "$volume/restored"
tar --extract --gzip --file="$folder/$base/base.tar.gz" --directory="$volume/restored"
# What the database does from now on is another history, and has a journal of its own.
[[ ! -e $folder/journal ]] || mv "$folder/journal" "$folder/journal-until-$now"
cp -r "$folder"/journal-until-* "$volume"
# An earlier restore stands in the backups that were made after it.
sed -i '/^\(restore_command\|recovery_target_\)/d' "$volume/restored/postgresql.auto.conf"
{
  echo "restore_command = 'for f in $inside/journal-until-*/%f $inside/journal-until-*/%f.partial; do cp \"\$f\" \"%p\" && exit 0; done; exit 1'"
  [[ $moment == latest ]] || echo "recovery_target_time = '$moment'"
  echo "recovery_target_action = 'promote'"
} >>"$volume/restored/postgresql.auto.conf"
touch "$volume/restored/recovery.signal"
[[ ! -e $volume/pgdata ]] || mv "$volume/pgdata" "$volume/pgdata-before-$now"
mv "$volume/restored" "$volume/pgdata"
echo "restore: $base is in place; the journal up to $moment is replayed at the next start"
