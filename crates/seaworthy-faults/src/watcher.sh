# Ends a process and removes its directory once whoever started it lets go of the other end of stdin: when it drops the
# value that stands for it, when it panics, when it exits, and when it is killed with -9, because then the system lets go.
#
# Arguments: the directory, or nothing. Lines of stdin: `watch PID BEGAN SIGNAL`, `forget`.
#
# A process is known by its number and the time it began, so that nobody else's process is ever signalled. Where there is
# no /proc the number has to do, and what the process has started is its own to end.

trap '' HUP INT QUIT TERM PIPE
directory=$1 pid='' began='' signal='' family=''

# Sets the state, the parent and the beginning of a process. Its name, in parentheses, may hold anything.
look() { # PID
    { IFS= read -r line <"/proc/$1/stat"; } 2>/dev/null || return 1
    # shellcheck disable=SC2086
    set -- ${line##*) }
    state=$1 parent=$2 beginning=${20}
}

alive() { # PID BEGAN
    if [ -e /proc/self/stat ]; then
        look "$1" && [ "$state" != Z ] && [ "$beginning" = "$2" ]
    else
        kill -0 "$1" 2>/dev/null
    fi
}

# Adds to `family` the descendants of a process, as ` PID:BEGAN`.
descend() { # PID
    for row in $table; do
        case $row in
        *:"$1":*)
            family="$family ${row%%:*}:${row##*:}"
            descend "${row%%:*}"
            ;;
        esac
    done
}

find_family() {
    table='' family=''
    for stat in /proc/[0-9]*/stat; do
        row=${stat#/proc/} row=${row%/stat}
        look "$row" && table="$table $row:$parent:$beginning"
    done
    descend "$pid"
}

signal_family() { # SIGNAL
    for row in $family; do
        alive "${row%:*}" "${row#*:}" && kill -"$1" "${row%:*}" 2>/dev/null
    done
}

is_gone() {
    alive "$pid" "$began" && return 1
    for row in $family; do
        alive "${row%:*}" "${row#*:}" && return 1
    done
    return 0
}

gone_within() { # TENTHS of a second
    left=$1
    # The first look comes at once, the others later.
    sleep 0.02
    until is_gone; do
        [ "$left" -gt 0 ] || return 1
        left=$((left - 1))
        sleep 0.1
    done
}

# Who is stopped starts nobody else, so that once there is nobody new there is nobody more.
kill_all() {
    kill -STOP "$pid" 2>/dev/null
    known=none
    while [ "$known" != "$family" ]; do
        known=$family
        find_family
        signal_family STOP
    done
    kill -KILL "$pid" 2>/dev/null
    signal_family KILL
    gone_within 50
}

while read -r what number time name; do
    case $what in
    watch) pid=$number began=$time signal=$name ;;
    forget) pid='' ;;
    esac
done

if [ -n "$pid" ] && alive "$pid" "$began"; then
    if [ "$signal" = KILL ]; then
        kill_all
    else
        find_family
        kill -"$signal" "$pid" 2>/dev/null
        # One that was stopped hears nothing but this and KILL.
        kill -CONT "$pid" 2>/dev/null
        signal_family CONT
        gone_within 80 || { alive "$pid" "$began" && kill_all; } || { signal_family KILL && gone_within 50; }
    fi
fi

if [ -n "$directory" ]; then
    # Postgres that was killed leaves a segment of shared memory, whose number is in the seventh line of its lock file.
    lock=$directory/data/postmaster.pid
    segment=$([ -f "$lock" ] && sed -n '7s/^ *[0-9]\{1,\} \{1,\}\([0-9]\{1,\}\).*$/\1/p' "$lock")
    [ -n "$segment" ] && ipcrm -m "$segment" 2>/dev/null
    rm -rf -- "$directory"
fi
exit 0
