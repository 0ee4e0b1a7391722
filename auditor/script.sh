# What every system needs: lines of a bundle, and `answer`, which runs a command and tells what it said.

LC_ALL=C
PATH=/usr/sbin:/usr/bin:/sbin:/bin:/usr/xpg4/bin:/usr/contrib/bin
export LC_ALL PATH
unset CDPATH ENV GREP_OPTIONS LS_BLOCK_SIZE QUOTING_STYLE TIME_STYLE
nl='
'
IFS=" 	$nl"

# Not every shell has printf built in, and not every echo prints a backslash as it is. No here-documents: many shells write them to disk.
if (PATH=/nonexistent; printf '%s\n' x) >/dev/null 2>&1; then
    say() { printf '%s\n' "$1"; }
elif (PATH=/nonexistent; print -r -- x) >/dev/null 2>&1; then
    say() { print -r -- "$1"; }
elif [ "$(echo 'a\\b')" = 'a\\b' ]; then
    say() { echo "$1"; }
else
    say() {
        say_done='' say_left=$1
        while :; do
            case $say_left in
                (*\\*)
                    say_done=$say_done${say_left%%\\*}'\\'
                    say_left=${say_left#*\\} ;;
                (*) break ;;
            esac
        done
        echo "$say_done$say_left"
    }
fi

# have NAME: is there such a program?
have() {
    have_left=$PATH:
    while [ -n "$have_left" ]; do
        if [ -x "${have_left%%:*}/$1" ]; then return 0; fi
        have_left=${have_left#*:}
    done
    return 1
}

# What commands print ends in a mark of ours: so it is seen where the last line has no line feed, and where a shell lost what it cannot read.
mark="?$$?"

# prefixed PREFIX: each line of stdin after PREFIX, without the mark at its end; fails where that is missing
if [ "$( { say "a$mark" | sed -e "s/$mark\$//"; } 2>/dev/null)" = a ]; then
    prefixed() {
        sed -e '$!{' -e "s/^/$1 /" -e b -e '}' -e "/^$mark\$/d" -e "s/^/$1 /" -e "s/$mark\$/\\
\\\\/"
    }
else
    prefixed() {
        prefixed_any='' prefixed_before=''
        while IFS= read -r prefixed_line; do
            if [ -n "$prefixed_any" ]; then say "$1 $prefixed_before"; fi
            prefixed_any=yes prefixed_before=$prefixed_line
        done
        case $prefixed_before in
            ("$mark") ;;
            (*"$mark") prefixed_before=${prefixed_before%"$mark"}; say "$1 $prefixed_before$nl\\" ;;
            (*) say "$1 $prefixed_before$nl\\"; return 1 ;;
        esac
    }
fi

timeout=''
if { timeout 9 true; } >/dev/null 2>&1; then timeout=yes; fi

# answer PROBE SECONDS COMMAND-LINE WORD...: runs WORD... (a command, or a function where SECONDS is 0) and gives its answer.
# stdout goes through `prefixed` to the bundle while stderr and the exit status are kept in a variable.
answer() {
    say "@ $1"
    say "\$ $3"
    answer_seconds=$2
    shift 3
    answer_name=$1
    if [ -z "$timeout" ] || [ "$answer_seconds" -eq 0 ] || ! have "$1"; then
        answer_seconds=0
    else
        set -- timeout "$answer_seconds" "$@"
    fi
    answer_lost=''
    answer_said=$(
        {
            {
                answer_said=$({ "$@"; } 2>&1 >&3 3>&- 4>&- 5>&-; say "$mark$?")
                say "$mark" >&3
                say "$answer_said" >&4
            } 3>&1 | prefixed '|' >&5 4>&-
        } 4>&1
    ) || answer_lost=yes
    answer_status=${answer_said##*"$mark"}
    case $answer_said in
        (*"$mark"*) ;;
        (*) answer_lost=yes answer_said=$answer_said$mark ;;
    esac
    answer_said=${answer_said%"$mark"*}
    if [ -n "$answer_said" ]; then say "$answer_said$mark" | prefixed '!'; fi
    if [ -n "$answer_lost" ]; then
        answer_status=unknown
    elif [ "$answer_status" = 127 ] && [ "$answer_seconds" -eq 0 ] && ! have "$answer_name"; then
        answer_status=absent
    elif [ "$answer_status" = 124 ] && [ "$answer_seconds" -gt 0 ]; then
        answer_status="timeout $answer_seconds"
    fi
    say "? $answer_status"
}

# answer_file PROBE PATH: a regular file, as it stands.
answer_file() {
    if [ -f "$2" ]; then
        answer "$1" 0 "cat $2" copy "$2"
    elif [ -e "$2" ]; then
        answer "$1" 0 "cat $2" refuse "$2: not a regular file"
    elif [ -L "$2" ]; then
        answer "$1" 0 "cat $2" refuse "$2: leads nowhere"
    else
        say "@ $1"
        say "\$ cat $2"
        say '? absent'
    fi
}

refuse() {
    say "$1" >&2
    return 1
}

# The kernel gives a number under /proc/sys to the first read alone, and some shells read a byte at a time.
if { cat /dev/null; } >/dev/null 2>&1; then
    copy() { cat "$1"; }
elif [ "$( { say a | sed -e s/a/b/; } 2>/dev/null)" = b ]; then
    copy() { sed -e '' "$1"; }
else
    copy() {
        case $1 in
            (/proc/sys/*) refuse "$1: needs cat or sed to be read"; return 1 ;;
        esac
        while IFS= read -r copy_line; do say "$copy_line"; done <"$1" || return 1
        if [ -n "$copy_line" ]; then refuse "$1: without cat its last line, which has no line feed, cannot be given"; fi
    }
fi

# first_line FILE
first_line() {
    if [ -r "$1" ]; then
        first_line=''
        IFS= read -r first_line <"$1"
        say "$first_line"
    fi
}

# percent KEY VALUE: a line of the bundle's head, where there is a value; one of several lines is made one.
percent() {
    percent_value=$2
    while :; do
        case $percent_value in
            (*"$nl"*) percent_value=${percent_value%%"$nl"*}'\x0a'${percent_value#*"$nl"} ;;
            (*) break ;;
        esac
    done
    if [ -n "$percent_value" ]; then say "% $1 $percent_value"; fi
}

uname_or() {
    uname_or=$({ uname "$1"; } 2>/dev/null)
    if [ -n "$uname_or" ]; then say "$uname_or"; else
        shift
        for uname_or_file; do
            if [ -r "$uname_or_file" ]; then first_line "$uname_or_file"; return; fi
        done
    fi
}

own_uid() {
    for own_uid_id in id /usr/xpg4/bin/id; do
        own_uid=$({ "$own_uid_id" -u; } 2>/dev/null)
        case $own_uid in
            ('' | *[!0-9]*) ;;
            (*) say "$own_uid"; return ;;
        esac
    done
    if [ -r /proc/self/status ]; then
        while read -r own_uid_key own_uid own_uid_effective own_uid_rest; do
            if [ "$own_uid_key" = Uid: ]; then say "$own_uid_effective"; return; fi
        done </proc/self/status
    fi
}

byte_order() {
    byte_order=$({ say ab | od -A n -t x2; } 2>/dev/null)
    case $byte_order in
        (*6261*) say little; return ;;
        (*6162*) say big; return ;;
    esac
    case $(uname_or -m /proc/sys/kernel/arch) in
        (x86_64 | i?86 | amd64 | aarch64 | arm64 | armv*l | riscv64 | ppc64le | loongarch64) say little ;;
        (s390x | aarch64_be | armv*b | sparc*) say big ;;
    esac
}

now() {
    now=$({ date -u '+%Y-%m-%dT%H:%M:%SZ'; } 2>/dev/null)
    case $now in
        ([0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9]Z) say "$now" ;;
    esac
}

# asks_for PART: whether that is to be asked for
asks_for() {
    case ,$parts, in
        (*,"$1",*) return 0 ;;
        (*) return 1 ;;
    esac
}

# begin COLLECTOR PARTS: the head of the bundle.
begin() {
    parts=$2
    say 'port-auditor evidence 1'
    percent system "$system"
    percent release "$(uname_or -r /proc/sys/kernel/osrelease /kern/osrelease)"
    percent host "$(uname_or -n /proc/sys/kernel/hostname /kern/hostname)"
    percent taken "$(now)"
    percent uid "$(own_uid)"
    percent byteorder "$(byte_order)"
    percent collector "$1"
    percent machine-id "$(first_line /etc/machine-id)"
    percent boot-id "$(first_line /proc/sys/kernel/random/boot_id)"
    percent asked "$2"
}

system=$(uname_or -s /proc/sys/kernel/ostype /kern/ostype)
