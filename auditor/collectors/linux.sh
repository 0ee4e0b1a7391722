# Linux: the kernel's own text under /proc, as it is, and what ss and ip say without asking who holds a socket.
# No argument of a process is read. Names that a process chooses come one line each behind a path that it does not choose.

grep_works=''
if [ "$( { say ab | grep -e a; } 2>/dev/null)" = ab ]; then
    grep_works=yes
    # found -e PATTERN... FILE...: the lines that match, each after its file and a colon
    found() { grep "$@" /dev/null; }
else
    # every line; what is not wanted is passed over when it is read
    found() {
        while [ "$1" = -e ]; do shift 2; done
        for found_file; do
            if ! [ -r "$found_file" ]; then
                refuse "$found_file: cannot be read"
            elif [ "${found_file#/proc/sys/}" != "$found_file" ]; then
                copy "$found_file" | while IFS= read -r found_line; do say "$found_file:$found_line"; done
            else
                while IFS= read -r found_line || [ -n "$found_line" ]; do say "$found_file:$found_line"; done <"$found_file"
            fi
        done
    }
fi

# ls prints control characters as ? (busybox does unasked), so that one entry is one line; with -b as escapes, where it can.
if { ls -lnq /proc/self/exe; } >/dev/null 2>&1; then long='ls -lnq' numbered='ls -inq'; else long='ls -ln' numbered='ls -lin'; fi
if { ls -lnb /proc/self/exe; } >/dev/null 2>&1; then exact='ls -lnb'; else exact=$long; fi

sortable=''
if [ "$( { { say b; say a; say a; } | sort | uniq -u; } 2>/dev/null)" = b ]; then sortable=yes; fi

sed_works=''
if [ "$( { say a | sed -e s/a/b/; } 2>/dev/null)" = b ]; then sed_works=yes; fi

# same FILE FILE
if { [ / -ef /. ]; } 2>/dev/null; then
    same() { [ "$1" -ef "$2" ]; }
    comparable=yes
elif { env test / -ef /.; } 2>/dev/null; then
    same() { env test "$1" -ef "$2"; }
    comparable=yes
else
    comparable=''
fi

# links: of what ls -ln prints of links, path and target, or the path alone where the target is not shown
if [ -n "$sed_works" ]; then
    links() { sed -n -e 's,^l[^>]* \(/proc/[^ ]*\) -> ,\1 ,p' -e 's,^l[^>]* \(/proc/[^ >]*\)$,\1,p'; }
    # sockets: of what ls -ln prints of descriptors, for each process a line PROCESS: and then the inodes of its sockets
    sockets() { sed -n -e 's,^/proc/\(.*\)/fd:$,\1:,p' -e 's/^l[^>]*-> socket:\[\([0-9]*\)\]$/\1/p'; }
    # numbers: of what ls -in prints of .../net/tcp, whose it is and its inode
    numbers() { sed -n -e 's,^ *\([0-9][0-9]*\) .* /proc/\([^ ]*\)/net/tcp$,\2 \1,p'; }
    # starts: of /proc/PROCESS/stat up to the moment it began; addresses in its memory come later and stay on the host
    starts() { sed -e 's/^\(.*) [A-Za-z]\( -*[0-9][0-9]*\)\{19\}\) .*$/\1/'; }
    # inodes: those in lines of tables
    inodes() {
        sed -n -e 's/^\/proc\/[^:]*: *[0-9]*: [0-9A-F:]* [0-9A-F]*:0000 0[A7] [^ ]* [^ ]* [^ ]* *[0-9]* *[0-9]* \([0-9]*\) .*$/\1/p'
    }
else
    links() {
        while IFS= read -r links_line; do
            case $links_line in
                (l*' -> '*)
                    links_path=${links_line%%' -> '*}
                    links_line=${links_line#*' -> '}
                    say "${links_path##* } $links_line" ;;
                (l*) say "${links_line##* }" ;;
            esac
        done
    }
    sockets() {
        while IFS= read -r sockets_line; do
            case $sockets_line in
                (/proc/*/fd:) sockets_line=${sockets_line#/proc/}; say "${sockets_line%/fd:}:" ;;
                (l*' -> socket:['*)
                    sockets_line=${sockets_line#*' -> '}
                    case $sockets_line in
                        ('socket:['*[!0-9]*']') ;;
                        ('socket:['*']')
                            sockets_line=${sockets_line#*'['}
                            sockets_line=${sockets_line%']'}
                            say "$sockets_line" ;;
                    esac ;;
            esac
        done
    }
    starts() {
        while IFS= read -r starts_line; do
            starts_last=${starts_line##*') '}
            set -- $starts_last
            if [ $# -gt 20 ]; then
                starts_line=${starts_line%') '*}
                starts_line="$starts_line) $1 $2 $3 $4 $5 $6 $7 $8 $9"
                shift 9
                starts_line="$starts_line $1 $2 $3 $4 $5 $6 $7 $8 $9"
                shift 9
                starts_line="$starts_line $1 $2"
            fi
            say "$starts_line"
        done
    }
    numbers() {
        while read -r numbers_inode numbers_line; do
            numbers_line=${numbers_line##*/proc/}
            say "${numbers_line%/net/tcp} $numbers_inode"
        done
    }
    sortable=''
fi

# each COMMAND NAME: COMMAND with /proc/PROCESS/NAME of all $processes, some hundreds at a time
each() {
    each_batch='' each_count=0
    for each_process in $processes; do
        each_batch="$each_batch /proc/$each_process/$2"
        each_count=$((each_count + 1))
        if [ "$each_count" -ge 500 ]; then
            $1 $each_batch
            each_batch='' each_count=0
        fi
    done
    if [ -n "$each_batch" ]; then $1 $each_batch; fi
}

# each_thread COMMAND NAME: the same for the threads of processes that have several, but for the first one
each_thread() {
    each_command=$1 each_name=$2 each_batch='' each_count=0
    for each_process in $processes; do
        set -- "/proc/$each_process/task/"[0-9]*
        if [ $# -le 1 ]; then continue; fi
        for each_task; do
            if [ "$each_task" = "/proc/$each_process/task/$each_process" ]; then continue; fi
            each_batch="$each_batch $each_task/$each_name"
            each_count=$((each_count + 1))
            if [ "$each_count" -ge 500 ]; then
                $each_command $each_batch
                each_batch='' each_count=0
            fi
        done
    done
    if [ -n "$each_batch" ]; then $each_command $each_batch; fi
}

# leaderless: processes whose first thread ended: the others alone show what it runs and holds
leaderless() {
    for leaderless in $processes; do
        if [ -e "/proc/$leaderless/exe" ] || ! [ -r "/proc/$leaderless/fd" ]; then continue; fi
        set -- "/proc/$leaderless/task/"[0-9]*
        if [ $# -gt 1 ]; then say "$leaderless"; fi
    done
}

# one_of_each: of lines WHERE INODE, one WHERE of each inode
one_of_each() {
    one_where='' one_seen=' '
    for one_word in $1; do
        if [ -z "$one_where" ]; then
            one_where=$one_word
        else
            case $one_seen in
                (*" $one_word "*) ;;
                (*) if [ -e "/proc/$one_where/net/tcp" ]; then one_seen="$one_seen$one_word "; say "$one_where"; fi ;;
            esac
            one_where=''
        fi
    done
}

# mounted_only: paths of mounted network namespaces that no process is in. $1 lines of mountinfo, $2 links of processes
mounted_only() {
    mounted_inode=''
    if [ -z "$sed_works" ]; then return; fi
    for mounted_word in $(say "$1" | sed -n -e 's/^[^ ]* [^ ]* [^ ]* net:\(\[[0-9]*\]\) \(\/[^ \\]*\) .* - nsfs .*$/\1 \2/p'); do
        if [ -z "$mounted_inode" ]; then
            mounted_inode=$mounted_word
        else
            case $2 in
                (*"net:$mounted_inode"*) ;;
                (*) say "$mounted_word" ;;
            esac
            mounted_inode=''
        fi
    done
}

# inside WHERE COMMAND...: in the network namespace of a process, a thread, or a mount
inside() {
    inside=$1
    shift
    case $inside in
        (self) "$@" ;;
        (/*) nsenter "-n$inside" "$@" ;;
        (*) nsenter "-n/proc/$inside/ns/net" "$@" ;;
    esac
}

enterable() {
    case $1 in
        (self) return 0 ;;
        (/*) [ -r "$1" ] ;;
        (*) [ -r "/proc/$1/ns/net" ] ;;
    esac
}

# in_each COMMAND...: in every namespace, whose line `in WHERE` comes first and whose exit status last
in_each() {
    for in_where in $namespaces $mounted; do
        say "in $in_where"
        if enterable "$in_where"; then
            inside "$in_where" "$@" 2>&1
            say "status $?"
        else
            say 'its ns/net may not be read'
            say 'status 1'
        fi
    done
}

# tables: listening TCP and unconnected UDP sockets of every namespace; a table that is not there is said
tables() {
    tables_batch='' tables_count=0
    for tables_where in $namespaces; do
        for tables_name in tcp tcp6 udp udp6 udplite udplite6; do
            if [ -e "/proc/$tables_where/net/$tables_name" ]; then
                tables_batch="$tables_batch /proc/$tables_where/net/$tables_name"
                tables_count=$((tables_count + 1))
            else
                say "- /proc/$tables_where/net/$tables_name"
            fi
        done
        if [ "$tables_count" -ge 400 ]; then
            found -e local_address -e ':0000 0A ' -e ':0000 07 ' $tables_batch
            tables_batch='' tables_count=0
        fi
    done
    if [ -n "$tables_batch" ]; then found -e local_address -e ':0000 0A ' -e ':0000 07 ' $tables_batch; fi
    for tables_where in $mounted; do
        say "in $tables_where"
        inside "$tables_where" grep -e local_address -e ':0000 0A ' -e ':0000 07 ' /proc/self/net/tcp /proc/self/net/tcp6 \
            /proc/self/net/udp /proc/self/net/udp6 /proc/self/net/udplite /proc/self/net/udplite6 2>&1
    done
}

# addresses_in_files: what this namespace's files tell, where ip does not
addresses_in_files() {
    if [ -n "$sed_works" ]; then
        sed -n -e '/|--/h' -e '/\/32 host LOCAL/{' -e g -e 's/^.* //' -e 's/^/local /' -e p -e '}' /proc/net/fib_trie
        if [ -e /proc/net/if_inet6 ]; then found -e ^ /proc/net/if_inet6; fi
        say 'files read'
    fi
}

# holders_again: where a socket has no holder, those that began meanwhile, and the threads of all: one can have descriptors of its own
holders_again() {
    if [ -z "$sortable" ]; then
        say '= not searched'
        return
    fi
    without=$({ say "$again" | inodes | sort -u; say "$walked"; say "$walked"; } | sort | uniq -u)
    if [ -z "$without" ] || [ "$without" = 0 ]; then return; fi
    looked_at=$processes
    set -- $(cd /proc && echo [0-9]*)
    newcomers=$({ for began; do say "$began"; done; for began in $looked_at $looked_at; do say "$began"; done; } | sort | uniq -u)
    processes=$newcomers
    say '= began'
    each 'found -e ^' stat | starts
    say '= descriptors'
    each "$long /dev/null" fd | sockets
    processes="$looked_at $newcomers"
    say '= descriptors of threads'
    processes=$(for readable in $processes; do if [ -r "/proc/$readable/fd" ]; then say "$readable"; fi; done)
    set -- $without
    if [ -z "$grep_works" ] || [ $# -gt 500 ]; then
        each_thread "$long /dev/null" fd | sockets
    else
        set -- -e ':$'
        for left in $without; do set -- "$@" -e "^$left\$"; done
        each_thread "$long /dev/null" fd | sockets | grep "$@"
    fi
    processes="$looked_at $newcomers"
}

# mount_of FILE: the number of the mount that it is on
mount_of() {
    {
        while read -r mount_key mount_number; do
            if [ "$mount_key" = mnt_id: ]; then say "$mount_number"; fi
        done </proc/self/fdinfo/9
    } 9<"$1"
}

# its_path LINK LISTED: its_path becomes the path that a link leads to, without what ls does to it
its_path() {
    its_path=$2
    case $2 in
        (*\\*)
            its_path=$(ls -ln "$1" && say x)
            its_path=${its_path%"${nl}x"}
            its_path=${its_path#*"$1 -> "} ;;
    esac
}

# same_mount LINK PATH: a deleted file lies on the mount that its folder is on here, or the nearest one above that is still there
same_mount() {
    mount_folder=${2%/*}
    while [ -n "$mount_folder" ] && ! [ -d "$mount_folder" ]; do mount_folder=${mount_folder%/*}; done
    mount_here=$(mount_of "$mount_folder/")
    [ -n "$mount_here" ] && [ "$mount_here" = "$(mount_of "$1")" ]
}

# executables_here: of lines LINK PATH the links whose file is the one at its path here: another one can be laid over a path in a mount
# namespace that any user can make, and a process that is in ours can run it. Of what was deleted its mount must be ours.
executables_here() {
    while IFS=' ' read -r here_link here_listed; do
        if [ -z "$here_listed" ]; then continue; fi
        its_path "$here_link" "$here_listed"
        if same "$here_link" "$its_path"; then
            say "$here_link"
        else
            case $its_path in
                (/*' (deleted)') if (same_mount "$here_link" "$its_path") 2>/dev/null; then say "$here_link"; fi ;;
            esac
        fi
    done
}

# folders_above: of lines LINK PATH the folders above the paths, each once, as ls -ln prints them; none whose path would need quoting
folders_above() {
    above_seen=' / '
    while IFS=' ' read -r above_link above_path; do
        above_path=${above_path%/*}
        case $above_path in (*[!A-Za-z0-9/._+@:,%=-]*) continue ;; esac
        while [ -n "$above_path" ]; do
            case $above_seen in (*" $above_path "*) break ;; esac
            above_seen="$above_seen$above_path "
            above_path=${above_path%/*}
        done
    done
    $long -dL $above_seen 2>/dev/null
}

# at_paths: of lines LINK PATH those whose path has the mark of a deleted file, and which file is at that path now
at_paths() {
    while IFS=' ' read -r at_link at_listed; do
        case $at_listed in (*'(deleted)') ;; (*) continue ;; esac
        its_path "$at_link" "$at_listed"
        if same "$at_link" "$its_path"; then
            say "$at_link itself"
        elif [ -f "${its_path%' (deleted)'}" ]; then
            say "$at_link another"
        else
            case $(ls -d "${its_path%' (deleted)'}" 2>&1) in (*'Permission denied') ;; (*) say "$at_link none" ;; esac
        fi
    done
}

# untold: of lines LINK USER-NAMESPACE the processes whose is not shown
untold() {
    while read -r untold_link untold_target; do
        case $untold_target$untold_link in (/proc/[0-9]*) untold_link=${untold_link#/proc/}; say "${untold_link%/ns/user}" ;; esac
    done
}

# odd_threads: processes whose threads must be asked one by one: the first one ended, or another one is in another network namespace.
# $1 lines WHERE INODE of network namespaces
odd_threads() {
    {
        {
            for odd in $processes; do say "$odd"; done
            each 'found -e ^VmSize:' status | sed -n -e 's,^/proc/\([0-9]*\)/status:VmSize:.*$,\1,p'
        } | sort | uniq -u
        {
            say "$1" | sed -n -e 's,^\([0-9]*\)/task/[0-9]* ,\1 ,p' | sort -u
            for odd in twice twice; do say "$1" | sed -n -e '/^[0-9]* [0-9]*$/p'; done
        } | sort | uniq -u | sed -e 's/ .*$//'
    } | sort -u
}

# elsewhere: of lines LINK USER-NAMESPACE, the first of which is our own, the processes that are in another one
elsewhere() {
    read -r elsewhere_link elsewhere_own
    while read -r elsewhere_link elsewhere_target; do
        if [ -n "$elsewhere_target" ] && [ "$elsewhere_target" != "$elsewhere_own" ]; then
            elsewhere_link=${elsewhere_link#/proc/}
            say "${elsewhere_link%/ns/user}"
        fi
    done
}

# owners_of_namespaces: of network namespaces, by their inodes. lsns shows those of processes, and where it meets one with a line feed in its
# name none: it is asked in the others as well, or in each of them, alone with itself
owners_of_namespaces() {
    alone=''
    if ! lsns -n -r -t net -o NS,ONS 2>/dev/null; then alone='unshare --pid --fork --mount-proc'; fi
    for owned in $namespaces $mounted; do
        if [ -z "$alone" ] && [ "${owned#*/}" = "$owned" ]; then continue; fi
        if enterable "$owned"; then inside "$owned" $alone lsns -n -r -t net -o NS,ONS 2>/dev/null; fi
    done
}

# of_status FILE...: who a process or thread is, and which rights it has
if [ -n "$grep_works" ]; then
    of_status() { found -e ^Name: -e ^Uid: -e ^VmSize: -e ^CapPrm: -e ^CapEff: -e ^CapAmb: -e ^NoNewPrivs: -e ^Seccomp: "$@"; }
else
    of_status() {
        found -e ^ "$@" | while IFS= read -r status_line; do
            case $status_line in
                (*:Name:* | *:Uid:* | *:VmSize:* | *:CapPrm:* | *:CapEff:* | *:CapAmb:* | *:NoNewPrivs:* | *:Seccomp:*) say "$status_line" ;;
            esac
        done
    }
fi

# linux_capabilities: who the processes are and which rights they have; the same of threads, where they must be asked; who owns namespaces
linux_capabilities() {
    each of_status status
    if [ -n "$sortable" ]; then
        say '= status of threads'
        processes=$(odd_threads "$numbered")
        each_thread of_status status
        processes=$all
    fi
    say '= of this run'
    say "$$"
    if have lsns; then
        say '= owners of namespaces'
        owners_of_namespaces
        say '= parents of user namespaces'
        lsns -n -r -t user -o NS,PNS 2>/dev/null
    fi
}

linux_proc() {
    processes=$(cd /proc && echo [0-9]*)
    say '= began'
    each 'found -e ^' stat | starts

    say '= namespaces'
    found -e ' - nsfs ' -e ' - cgroup2 ' /proc/self/mountinfo
    linked=$({ $long /proc/self/ns/net; each "$long" ns/net; each_thread "$long" ns/net; } | links)
    say "$linked"
    say '= tables of'
    numbered=$({ $numbered /proc/self/net/tcp; each "$numbered" net/tcp; each_thread "$numbered" net/tcp; } | numbers)
    say "$numbered"
    namespaces=$(one_of_each "$numbered")
    if [ -z "$namespaces" ]; then namespaces=self; fi
    mounted=$(mounted_only "$(found -e ' - nsfs ' /proc/self/mountinfo)" "$linked")

    say '= tables'
    tables
    found -e ^SCTP -e ^DCCP /proc/net/protocols
    say '= details'
    if have ss; then in_each ss -Htulne; fi
    say '= settings'
    set -- /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/net/ipv4/ip_local_port_range \
        /proc/sys/net/ipv4/ip_local_reserved_ports /proc/sys/net/ipv4/ip_autobind_reuse
    if [ -n "$grep_works" ]; then
        in_each grep -e ^ "$@" /dev/null
    else
        in_each found -e ^ "$@"
    fi
    say '= addresses'
    if [ -n "$sed_works" ]; then
        in_each ip -j -d addr | sed -e 's/},{"ifindex"/},\
{"ifindex"/g' -e 's/},{"family"/},\
{"family"/g'
    fi
    if ! { ip -j -d addr; } >/dev/null 2>&1; then
        say '= addresses in files'
        addresses_in_files
    fi

    say '= descriptors'
    walked=$(each "$long /dev/null" fd | sockets)
    say "$walked"
    say '= tables again'
    again=$(tables)
    say "$again"
    of_threads='' ended=$(leaderless)
    if [ -n "$ended" ]; then
        all=$processes
        processes=$ended
        say '= descriptors of threads'
        each_thread "$long /dev/null" fd | sockets
        say "= thread executables $exact"
        of_threads=$(each_thread "$exact" exe | links)
        say "$of_threads"
        say '= thread files'
        each_thread "$long -L" exe
        processes=$all
    fi
    holders_again

    say "= executables $exact"
    executables=$(each "$exact" exe | links)
    say "$executables"
    if [ -n "$comparable" ]; then
        say '= the files at their paths'
        say "$executables$nl$of_threads" | executables_here
        say '= at the paths of deleted ones'
        say "$executables$nl$of_threads" | at_paths
    fi
    say '= files'
    each "$long -L" exe
    say '= folders'
    say "$executables$nl$of_threads" | folders_above
    say '= user namespaces'
    users=$({ $long /proc/self/ns/user; each "$long" ns/user; } | links)
    say "$users"
    say '= maps of user namespaces'
    all=$processes
    processes=$(say "$users" | elsewhere)
    each 'found -e ^' uid_map
    each 'found -e ^' gid_map
    if asks_for grants; then
        processes="self $(say "$users" | untold)"
        each 'found -e ^' uid_map
    fi
    processes=$all
    say '= status'
    if asks_for grants; then
        linux_capabilities
    else
        each 'found -e ^Name: -e ^Uid:' status
    fi
    say '= groups'
    each 'found -e ^0:: -e :name=systemd:' cgroup
    say '= began again'
    each 'found -e ^' stat | starts
    say '= namespaces again'
    for namespace in $namespaces; do $long "/proc/$namespace/ns/net"; done | links
    say '= end'
}

linux_rights() {
    found -e ^Uid: -e ^CapEff: /proc/self/status
    found -e '^btime ' /proc/stat
    found -e ' /proc ' /proc/self/mountinfo
    $long /proc/self/ns/pid | links
    if have getconf; then say "ticks $(getconf CLK_TCK)"; fi
    say '= end'
}

# linux_accounts: users and their numbers, and nothing else of the file
linux_accounts() {
    if [ -n "$sed_works" ]; then
        sed -n -e 's/^\([^:]*\):[^:]*:\([0-9][0-9]*\):.*$/\2:\1/p' /etc/passwd && say '= end'
        return
    fi
    while IFS=: read -r account_user account_password account_uid account_rest; do
        case $account_uid in
            ('' | *[!0-9]*) ;;
            (*) say "$account_uid:$account_user" ;;
        esac
    done </etc/passwd || return 1
    say '= end'
}

# linux_containers: their names where docker keeps them; nothing else of those files
linux_containers() {
    linux_containers=0
    if [ -d /var/lib/docker/containers ]; then
        if [ -r /var/lib/docker/containers ]; then
            set -- /var/lib/docker/containers/*/config.v2.json
            if [ -e "$1" ]; then grep -o -e '"Name":"/[A-Za-z0-9][A-Za-z0-9_.-]*"' "$@" /dev/null || linux_containers=1; fi
        else
            refuse '/var/lib/docker/containers: may not be read' || linux_containers=1
        fi
    fi
    for runtime in /var/lib/containers/storage/overlay-containers /run/containerd/io.containerd.runtime.v2.task; do
        if [ -e "$runtime" ]; then refuse "$runtime: the names in it are not asked for by the script" || linux_containers=1; fi
    done
    say '= end'
    return "$linux_containers"
}

# linux_sysctl_files: the files that set kernel settings at boot, in the order of their folders
linux_sysctl_files() {
    for folder in /etc/sysctl.d /run/sysctl.d /usr/local/lib/sysctl.d /usr/lib/sysctl.d /lib/sysctl.d; do
        if [ -d "$folder" ]; then
            say "folder $folder $(cd -P "$folder" && pwd)"
            if ! [ -r "$folder" ]; then say "refused $folder"; fi
            for file in "$folder"/*.conf; do
                if [ -c "$file" ]; then
                    say "masked $file"
                elif [ -e "$file" ] || [ -L "$file" ]; then
                    if [ -n "$comparable" ] && same "$file" /etc/sysctl.conf; then say "sysctl.conf $file"; else say "file $file"; fi
                fi
            done
        fi
    done
    if [ -e /etc/sysctl.conf ]; then say 'own /etc/sysctl.conf'; fi
    if [ -d /run/systemd/system ]; then say systemd; fi
    if [ -n "$comparable" ]; then say comparable; fi
    say '= end'
}

rights() { answer rights 0 builtin:sh-rights linux_rights; }

ports() { answer proc 0 builtin:sh-proc linux_proc; }

accounts() { answer accounts 0 builtin:sh-accounts linux_accounts; }

containers() { answer containers 0 builtin:sh-containers linux_containers; }

persisted() {
    answer persisted 0 builtin:sh-sysctl-files linux_sysctl_files
    for persisted in /etc/sysctl.d/*.conf /run/sysctl.d/*.conf /usr/local/lib/sysctl.d/*.conf /usr/lib/sysctl.d/*.conf /lib/sysctl.d/*.conf \
        /etc/sysctl.conf; do
        case $persisted in
            (*[!A-Za-z0-9@%+=:,./_-]*) ;;
            (*) if [ -f "$persisted" ]; then answer_file persisted "$persisted"; fi ;;
        esac
    done
    answer_file bindresvport /etc/bindresvport.blacklist
    answer_file host-settings /proc/sys/sunrpc/min_resvport
    answer_file host-settings /proc/sys/sunrpc/max_resvport
}
