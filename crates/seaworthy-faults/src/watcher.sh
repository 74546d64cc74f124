# Ends a process and removes its directory once whoever started it lets go of the other end of stdin: when it drops the
# value that stands for it, when it panics, when it exits, and when it is killed with -9, because then the system lets go.
#
# Arguments: the directory, or nothing. Lines of stdin: `watch PID BEGAN SIGNAL`, `forget`.
#
# A process is known by its number and the time it began, so that nobody else's process is ever signalled. Where there is
# no /proc the number has to do.

trap '' HUP INT QUIT TERM PIPE
directory=$1 pid='' began='' signal=''

# The state, the parent and the beginning of a process, in three words. The name, in parentheses, may hold anything.
look() {
    { IFS= read -r line <"/proc/$1/stat"; } 2>/dev/null || return 1
    # shellcheck disable=SC2086
    set -- ${line##*) }
    echo "$1 $2 ${20}"
}

alive() { # PID BEGAN
    if [ -e /proc/self/stat ]; then
        # shellcheck disable=SC2046
        set -- "$2" $(look "$1")
        [ "$#" -eq 4 ] && [ "$2" != Z ] && [ "$1" = "$4" ]
    else
        kill -0 "$1" 2>/dev/null
    fi
}

children() { # of PID, as `PID:BEGAN`
    for stat in /proc/[0-9]*/stat; do
        child=${stat#/proc/} child=${child%/stat}
        # shellcheck disable=SC2046
        set -- "$1" $(look "$child")
        [ "$3" = "$1" ] && echo "$child:$4"
        set -- "$1"
    done
}

each_child() { # SIGNAL
    for child in $brood; do
        alive "${child%:*}" "${child#*:}" && kill -"$1" "${child%:*}" 2>/dev/null
    done
}

gone_within() { # TENTHS of a second
    left=$1
    while alive "$pid" "$began"; do
        [ "$left" -gt 0 ] || return 1
        left=$((left - 1))
        sleep 0.1
    done
}

while read -r what number time name; do
    case $what in
    watch) pid=$number began=$time signal=$name ;;
    forget) pid='' ;;
    esac
done

if [ -n "$pid" ] && alive "$pid" "$began"; then
    brood=$(children "$pid")
    kill -"$signal" "$pid" 2>/dev/null
    # One that was stopped hears nothing but this and KILL.
    kill -CONT "$pid" 2>/dev/null
    each_child CONT
    # The first look comes at once, the others later.
    sleep 0.02
    if ! gone_within 80; then
        brood="$brood $(children "$pid")"
        kill -KILL "$pid" 2>/dev/null
        gone_within 50
    fi
    each_child KILL
fi

if [ -n "$directory" ]; then
    # Postgres that was killed leaves a segment of shared memory, whose number is in the seventh line of its lock file.
    lock=$directory/data/postmaster.pid
    segment=$([ -f "$lock" ] && sed -n '7s/^ *[0-9]\{1,\} \{1,\}\([0-9]\{1,\}\).*$/\1/p' "$lock")
    [ -n "$segment" ] && ipcrm -m "$segment" 2>/dev/null
    rm -rf -- "$directory"
fi
exit 0
