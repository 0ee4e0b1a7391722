# Linux: systemd's units, from their files and, where it runs, from its manager.

unit_folders='/etc/systemd/system.control /run/systemd/system.control /run/systemd/transient /run/systemd/generator.early
    /etc/systemd/system /etc/systemd/system.attached /run/systemd/system /run/systemd/system.attached /run/systemd/generator
    /usr/local/lib/systemd/system /usr/lib/systemd/system'
if ! [ -L /lib ]; then unit_folders="$unit_folders /lib/systemd/system"; fi
unit_folders="$unit_folders /run/systemd/generator.late"

blanks=' 	'$({ printf '\r'; } 2>/dev/null)

# into FILE COMMAND: a command that reads a file. Some shells read no more of it where bytes are no characters to them: they get \001 for those.
if [ "$( { { printf '\377\200\n'; } | { IFS= read -r bytes && say read; }; } 2>/dev/null)" = read ]; then
    into() {
        into=$1
        shift
        "$@" <"$into"
    }
elif have tr; then
    into() {
        into=$1
        shift
        tr '\200-\377' '\001' <"$into" | "$@"
    }
else
    into() { say "unread $1"; }
fi

# trimmed TEXT: trimmed becomes that, without the blanks around it
trimmed() {
    trimmed=${1#"${1%%[!$blanks]*}"}
    trimmed=${trimmed%"${trimmed##*[!$blanks]}"}
}

# first_words LINE DIRECTIVE VALUE: the first word of each command (systemd.service(5), "Command lines"), and nothing of the others, which may
# be secrets; without its quotes, with escapes as they are; `?` in the place of the first blank where a quote is never closed
first_words() {
    if [ -z "$3" ]; then say "$1 $2="; return; fi
    words_left=$3 words_first=yes
    while :; do
        words_left=${words_left#"${words_left%%[!$blanks]*}"}
        case $words_left in
            ('') return ;;
            (';' | ';'[$blanks]*) words_first=yes words_left=${words_left#?}; continue ;;
        esac
        one_word
        if [ -n "$words_first" ]; then
            if [ -n "$word_quote" ]; then say "$1?$2"; else say "$1 $2=$word"; fi
        fi
        words_first=''
    done
}

# one_word: word becomes the first of $words_left, which loses it; word_quote what it left open
one_word() {
    word='' word_quote=''
    while [ -n "$words_left" ]; do
        case $word_quote in
            ('') word_plain=${words_left%%[$blanks\'\"\\]*} ;;
            (*) word_plain=${words_left%%["$word_quote"\\]*} ;;
        esac
        word=$word$word_plain words_left=${words_left#"$word_plain"}
        case $words_left in
            (\\*)
                word_after=${words_left#?}
                word_after=${word_after#?}
                word=$word${words_left%"$word_after"} words_left=$word_after ;;
            (\'* | \"*)
                if [ -n "$word_quote" ]; then word_quote=''; else word_quote=${words_left%"${words_left#?}"}; fi
                words_left=${words_left#?} ;;
            (*) return ;;
        esac
    done
}

# directives SECTION NAMES FIRST-WORDS: of a unit file at stdin, LINE NAME=VALUE of the directives named; of those in FIRST-WORDS no more than that.
# A line that ends in a backslash goes on in the next one that is no comment (systemd.syntax(7)).
directives() {
    directives_here='' directives_line=0 directives_held='' directives_text=''
    while IFS= read -r directives_text || [ -n "$directives_text" ]; do
        directives_line=$((directives_line + 1))
        directives_text=${directives_text#"${directives_text%%[!$blanks]*}"}
        case $directives_text in
            ('#'* | ';'*) continue ;;
            ('' | [A-Za-z[]*) ;;
            (???'['*) if [ "$directives_line" = 1 ]; then directives_text=${directives_text#???}; fi ;;
        esac
        if [ -z "$directives_held" ]; then directives_first=$directives_line; fi
        directives_held=$directives_held${directives_text%"${blanks#??}"}
        directives_odd=$directives_held
        while :; do
            case $directives_odd in (*\\\\) directives_odd=${directives_odd%??} ;; (*) break ;; esac
        done
        case $directives_odd in (*\\) directives_held="${directives_held%?} "; continue ;; esac
        directive "$@"
        directives_held=''
    done
    if [ -n "$directives_held" ]; then directive "$@"; fi
}

# directive SECTION NAMES FIRST-WORDS: what there is to say of one whole line
directive() {
    case $directives_held in
        ('['*)
            trimmed "$directives_held"
            if [ "$trimmed" = "$1" ]; then directives_here=yes; else directives_here=''; fi
            return ;;
        (*=*) ;;
        (*) return ;;
    esac
    if [ -z "$directives_here" ]; then return; fi
    trimmed "${directives_held%%=*}"
    directive_name=$trimmed
    case $directive_name in ('' | *[!A-Za-z0-9]*) return ;; esac
    trimmed "${directives_held#*=}"
    case " $2 " in (*" $directive_name "*) say "$directives_first $directive_name=$trimmed" ;; esac
    case " $3 " in (*" $directive_name "*) first_words "$directives_first" "$directive_name" "$trimmed" ;; esac
}

# units KIND NAMES FIRST-WORDS: the files of units of a kind and the drop-ins of one, of many (a-.socket.d) and of all (socket.d), in systemd's
# order of precedence, each with the directives named: other lines can hold secrets; then the links that enable, mask or rename them
units() {
    case $1 in
        (socket) units_section='[Socket]' ;;
        (service) units_section='[Service]' ;;
    esac
    for folder in $unit_folders; do
        if [ -e "$folder" ] && ! { [ -r "$folder" ] && [ -x "$folder" ]; }; then say "unread $folder"; continue; fi
        for parts in "$folder"/*."$1".d "$folder/$1.d"; do
            if [ -d "$parts" ] && ! { [ -r "$parts" ] && [ -x "$parts" ]; }; then say "unread $parts/"; fi
        done
        for unit in "$folder"/*."$1" "$folder"/*."$1".d/*.conf "$folder/$1.d"/*.conf; do
            case $unit in (*"$nl"*) say 'odd'; continue ;; esac
            if [ -f "$unit" ]; then
                if [ -r "$unit" ]; then
                    say "file $unit"
                    into "$unit" directives "$units_section" "$2" "$3"
                else
                    say "unread $unit"
                fi
            elif [ -c "$unit" ]; then
                say "masked $unit"
            elif [ -e "$unit" ]; then
                say "unread $unit"
            elif [ -L "$unit" ]; then
                case $unit in
                    (*.conf) say "masked $unit" ;;
                esac
            fi
        done
    done
    say '= links'
    unit_links "$1"
    say '= end'
}

# unit_links KIND: links that name units, those to the unit file itself and those in the folders of what is started with it
unit_links() {
    for folder in $unit_folders; do
        for wants in "$folder"/*.wants "$folder"/*.requires "$folder"/*.upholds; do
            if [ -d "$wants" ] && ! [ -r "$wants" ]; then say "refused $wants"; fi
        done
        for link in "$folder"/*.wants/*."$1" "$folder"/*.requires/*."$1" "$folder"/*.upholds/*."$1" "$folder"/*."$1"; do
            if [ -L "$link" ]; then
                if leads=$({ readlink -f "$link" || readlink "$link"; } 2>/dev/null); then
                    say "link $link"
                    say "to $leads"
                else
                    say "refused $link"
                fi
            elif [ -e "$link" ] && [ "${link%/*}" != "$folder" ]; then
                say "unlinked $link"
            fi
        done
    done
}

linux_socket_units() {
    units socket "ListenStream ListenDatagram ListenSequentialPacket Service Accept BindIPv6Only BindToDevice SocketProtocol ReusePort \
        PrivateNetwork NetworkNamespacePath" ''
}

linux_service_units() {
    units service "User Group DynamicUser AmbientCapabilities CapabilityBoundingSet NoNewPrivileges SocketBindAllow SocketBindDeny \
        PrivateNetwork NetworkNamespacePath PrivateUsers RestrictAddressFamilies" ExecStart
}

socket_units() { answer socket-units 0 builtin:sh-socket-units linux_socket_units; }

service_units() { answer service-units 0 builtin:sh-service-units linux_service_units; }

shown_of_services=Id,LoadState,ActiveState,FragmentPath,DropInPaths,User,Group,DynamicUser,AmbientCapabilities,CapabilityBoundingSet,\
NoNewPrivileges,SocketBindAllow,SocketBindDeny,PrivateNetwork,NetworkNamespacePath,PrivateUsers,RestrictAddressFamilies,NeedDaemonReload

# shown WORD...: what systemctl shows
shown() { answer units-manager 30 "systemctl show $*" systemctl show "$@"; }

units_manager() {
    shown --all --type=service --no-pager "--property=$shown_of_services"
    if [ "$answer_status" = 0 ]; then shown --no-pager --property=Version,Features; fi
}
