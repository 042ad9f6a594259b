#!/bin/bash
# Like the official image: makes a database on the first start, then runs the server as "postgres".
set -euo pipefail
if [ "$(id -u)" = 0 ]; then
    chown postgres "$PGDATA"
    chmod 700 "$PGDATA"
    exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi
socket=(-c listen_addresses= -c unix_socket_directories=/tmp)
if [ ! -e "$PGDATA/PG_VERSION" ]; then
    password=$(cat "${POSTGRES_PASSWORD_FILE:-/dev/null}")
    [ -n "$password" ] || {
        echo "Error: Database is uninitialized and superuser password is not specified." >&2
        exit 1
    }
    initdb --username="$POSTGRES_USER" --pwfile=<(printf '%s\n' "$password") \
        --auth-local=trust --auth-host=scram-sha-256 >/dev/null
    printf "listen_addresses = '*'\nunix_socket_directories = '/tmp'\n" >>"$PGDATA/postgresql.conf"
    echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
    pg_ctl --wait --silent --options="${socket[*]}" start
    createdb --host=/tmp --username="$POSTGRES_USER" "$POSTGRES_DB"
    pg_ctl --wait --silent --mode=fast stop
fi
exec "$@"
