# Linux: files by which others than root may take privileged ports, and what may refuse it.

security_modules() {
    answer_file security-modules /sys/kernel/security/lsm
    answer_file security-modules /sys/module/apparmor/parameters/enabled
    answer_file security-modules /sys/fs/selinux/enforce
    if ! [ -e /sys/fs/selinux/enforce ]; then answer_file security-modules /proc/filesystems; fi
}

# mounted_at FILE: a line `mount NUMBER FILE` of the mount that it is on, or where it may not be opened its folder, and what mountinfo says of it
mounted_at() {
    mounted_number=$({ mount_of "$1" || mount_of "${1%/*}/"; } 2>/dev/null)
    if [ -z "$mounted_number" ]; then return; fi
    say "mount $mounted_number $1"
    case " $mounts_met " in
        (*" $mounted_number "*) ;;
        (*) mounts_met="$mounts_met $mounted_number"; found -e "^$mounted_number " /proc/self/mountinfo ;;
    esac
}

# authbind_file PATH: whose it is and which mount it is on; a link may lead through folders that count too, and is not followed
authbind_file() {
    if [ -L "$1" ]; then
        say "link $1"
    elif [ -e "$1" ]; then
        authbind_paths="$authbind_paths $1"
        mounted_at "$1"
    else
        say "none $1"
    fi
}

# byuid_rules FILE: at stdin, its lines that can be rules, each with its number, and nothing else of it
byuid_rules() {
    rules_line=0 rule=''
    while IFS= read -r rule || [ -n "$rule" ]; do
        rules_line=$((rules_line + 1))
        if [ ${#rule} -gt 298 ]; then say "unread $1 a line of it is longer than authbind reads"; fi
        case $rule in
            (*[!0-9A-Fa-f.:/,+$blanks-]*) ;;
            (*,*) say "rule $rules_line $1 $rule" ;;
        esac
    done
}

# authbind_name FOLDER NAME: whether authbind can ask for a file that is called so there
authbind_name() {
    case $1,$2 in
        (byaddr,*[!0-9A-Fa-f.:,!]* | byport,*[!0-9!]* | byuid,*[!0-9!]*) return 1 ;;
        (byaddr,* | byport,* | byuid,*) return 0 ;;
        (*) return 1 ;;
    esac
}

linux_authbind() {
    say "ls $exact"
    mounts_met='' authbind_paths=''
    for authbind in /usr/lib/authbind/helper /usr/local/lib/authbind/helper; do
        authbind_file "$authbind"
        if [ -e "$authbind" ]; then $long -dL / /usr /usr/lib /usr/local /usr/local/lib /usr/lib/authbind /usr/local/lib/authbind 2>/dev/null; fi
    done
    for authbind in /etc/authbind /etc/authbind/byport /etc/authbind/byaddr /etc/authbind/byuid; do
        authbind_file "$authbind"
        if [ -d "$authbind" ] && ! { [ -r "$authbind" ] && [ -x "$authbind" ]; }; then say "unread $authbind Permission denied"; continue; fi
        for file in "$authbind"/*; do
            if ! authbind_name "${authbind##*/}" "${file##*/}"; then continue; fi
            authbind_file "$file"
            if [ "${authbind##*/}" = byuid ] && [ -e "$file" ]; then
                if [ -f "$file" ] && [ -r "$file" ]; then into "$file" byuid_rules "$file"; else say "unread $file Permission denied"; fi
            fi
        done
        if [ -n "$authbind_paths" ]; then $long -dL $authbind_paths; fi
        authbind_paths=''
    done
    say '= end'
}

authbind() { answer authbind 0 builtin:sh-authbind linux_authbind; }

search_path='/usr/local/sbin /usr/local/bin /usr/sbin /usr/bin /sbin /bin /usr/games /usr/local/games'

# remote_mounts: at stdin mountinfo; remote gets the places of file systems that wait for another machine or a program, each with its kind
remote_mounts() {
    while read -r remote_number remote_parent remote_device remote_root remote_at remote_rest; do
        remote_kind=${remote_rest##* - }
        remote_kind=${remote_kind%% *}
        case $remote_kind in
            (nfs | nfs4 | cifs | smb3 | smbfs | 9p | afs | ceph | fuse | fuse.* | fuseblk | autofs | glusterfs | lustre | gpfs | gfs2 | ocfs2 | \
                beegfs | orangefs | pvfs2 | panfs | coda | davfs | ncpfs | virtiofs | vboxsf | vmhgfs | prl_fs)
                say "$remote_at:$remote_kind" ;;
        esac
    done
}

# local_file PLACE PATH: whether it lies on no such file system; else that is said
local_file() {
    local_folder=$2
    while [ -n "$local_folder" ]; do
        for local_remote in $remote; do
            if [ "${local_remote%:*}" = "$local_folder" ]; then say "remote $1 ${local_remote##*:} $local_folder"; return 1; fi
        done
        local_folder=${local_folder%/*}
    done
}

# capable PREFIX: of lines of getcap, those that it prints of the file that they name as well: a line feed in a name makes two of one
capable() {
    while IFS= read -r capable_line; do
        capable_path=$capable_line
        case $capable_path in (*' [rootid='*']') capable_path=${capable_path%' [rootid='*} ;; esac
        while :; do
            case ${capable_path##* } in
                ("$capable_path" | *[!a-z0-9_,=+-]*) capable_path='' ;;
                (*[=+]*) capable_path=${capable_path%' '*} ;;
                (*) capable_path='' ;;
            esac
            case $capable_path in
                ('') say "odd $capable_line"; break ;;
                ("$1"*) if [ "$($getcap "$capable_path" 2>/dev/null)" = "$capable_line" ]; then capability_found "$capable_path"; break; fi ;;
            esac
        done
    done
}

# capability_found PATH: what $capable_line says of it
capability_found() {
    capable_words=${capable_line#"$1"}
    say "file $1"
    say "has $capable_words"
    case $capable_words in (*cap_net_bind_service* | *' ='* | *' all'* | *[\ ,]10[,=+]*) capable_file "$1" ;; esac
}

# capable_file PATH: whose it is, how it is mounted, who may change the folders above, and which files in the search path are the same
capable_file() {
    capable_listed=$($long -d "$1")
    say "$capable_listed"
    mounted_at "$1"
    say "- $1" | folders_above
    capable_size=$(say "$capable_listed" | { read -r mode links uid gid size rest; say "$size"; })
    case $capable_size in ('' | *[!0-9]*) return ;; esac
    if have cmp && [ -r "$1" ] && { find / -maxdepth 0 -type d -size 1c; } >/dev/null 2>&1; then
        find $searched -maxdepth 1 -type f -size "${capable_size}c" 2>/dev/null | while IFS= read -r twin; do
            if [ "$twin" != "$1" ] && cmp -s "$1" "$twin"; then say "same $twin"; fi
        done
        say compared
    fi
}

# programs_of_units: the whole paths of what service units start, and those that only systemd can tell
programs_of_units() {
    for folder in $unit_folders; do
        for unit in "$folder"/*.service "$folder"/*.service.d/*.conf "$folder"/service.d/*.conf; do
            if [ -f "$unit" ] && [ -r "$unit" ]; then
                into "$unit" directives '[Service]' '' \
                    'ExecCondition ExecReload ExecStart ExecStartPost ExecStartPre ExecStop ExecStopPost' | program_words "$unit"
            elif [ -f "$unit" ] || { [ -e "$unit" ] && ! [ -c "$unit" ]; }; then
                say "unread unit $unit"
            fi
        done
    done
}

# program_words FILE: of lines of directives the paths
program_words() {
    prefixes='@:+!|-'
    while IFS= read -r program; do
        program=${program#*=}
        program=${program#"${program%%[!$prefixes]*}"}
        case $program in
            (*[%\\]*) say "unresolved unit $1" ;;
            (/*) say "$program" ;;
        esac
    done
}

# programs_of_processes: the paths of what processes run, where that is the file there
programs_of_processes() {
    processes=$(cd /proc && echo [0-9]*)
    each "$exact" exe 2>/dev/null | links | {
        programs_seen="$nl"
        while IFS=' ' read -r program_link program_listed; do
            case $program_listed in ('' | *'(deleted)') continue ;; esac
            case $programs_seen in (*"$nl$program_listed$nl"*) continue ;; esac
            its_path "$program_link" "$program_listed"
            case $its_path in
                (*"$nl"*) if [ -n "$($getcap "$its_path" 2>/dev/null)" ]; then say "odd $program_listed"; fi ;;
                (/*)
                    if same "$program_link" "$its_path"; then
                        programs_seen="$programs_seen$program_listed$nl"
                        say "$its_path"
                    elif [ "$exact" = "$long" ]; then
                        case $its_path in (*'?'*) say "odd $program_listed" ;; esac
                    fi ;;
            esac
        done
    }
}

# elsewhere_than_searched PLACE: of lines with paths the files that are not in folders that were searched; what is no path is said again
elsewhere_than_searched() {
    while IFS= read -r program; do
        case $program in (/*) ;; (*) say "$program"; continue ;; esac
        if ! local_file "$1" "$program"; then continue; fi
        if [ -L "$program" ]; then program=$({ readlink -f "$program"; } 2>/dev/null); fi
        if ! [ -f "$program" ]; then continue; fi
        program_folder=$(cd -P "${program%/*}/" 2>/dev/null && pwd)
        case " $searched " in
            (*" $program_folder "*) ;;
            (*) say "$program_folder/${program##*/}" ;;
        esac
    done
}

# with_capabilities: of lines with paths, getcap's word of each; what is no path is said again
with_capabilities() {
    sort_once | {
        set --
        while IFS= read -r program; do
            case $program in
                (/*) set -- "$@" "$program" ;;
                (*) say "$program" ;;
            esac
            if [ $# -ge 200 ]; then
                capabilities_of "$@" | capable /
                set --
            fi
        done
        if [ $# -gt 0 ]; then capabilities_of "$@" | capable /; fi
    }
}

# capabilities_of FILE...: getcap's word, and where it was ended or broke off that
capabilities_of() {
    $getcap "$@"
    capabilities_of=$?
    case $capabilities_of in (12[4-9] | 1[3-9]?) say "failed $capabilities_of" ;; esac
}

if [ -n "$sortable" ]; then sort_once() { sort -u; }; else sort_once() { while IFS= read -r once; do say "$once"; done; }; fi

linux_granting_files() {
    if ! have getcap; then
        say '= no getcap'
        say '= end'
        return
    fi
    getcap=getcap mounts_met='' searched=''
    if { getcap -n /; } >/dev/null 2>&1; then getcap='getcap -n'; fi
    if [ -n "$timeout" ]; then getcap="timeout 60 $getcap"; fi
    remote=$(into /proc/self/mountinfo remote_mounts)
    say "ls $exact"
    for folder in $search_path; do
        if ! local_file "$folder" "$folder"; then continue; fi
        place=$(cd -P "$folder" 2>/dev/null && pwd)
        case " $searched " in (*" $place "*) continue ;; esac
        if [ -z "$place" ]; then
            if [ -e "$folder" ]; then say "unread $folder"; fi
        elif ! [ -r "$place" ]; then
            say "unread $place"
        elif local_file "$folder" "$place"; then
            searched="$searched $place"
        fi
    done
    for place in $searched; do
        say "= in $place"
        capabilities_of -r "$place" | capable "$place/"
    done
    say '= in unit'
    programs_of_units | elsewhere_than_searched unit | with_capabilities
    say '= in process'
    if [ -n "$comparable" ]; then programs_of_processes | elsewhere_than_searched process | with_capabilities; else say 'not compared'; fi
    say '= end'
}

granting_files() { answer granting-files 0 builtin:sh-granting-files linux_granting_files; }
