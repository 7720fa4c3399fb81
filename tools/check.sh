#!/bin/sh
# What the compiler does not say: format, direction of includes, headers that stand alone, system calls only in sys.
#   check.sh [--format]
set -u
cd "$(dirname "$0")/.."
if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
    # What was removed and not committed yet is listed too.
    all=$(git ls-files -co --exclude-standard | while read -r f; do [ -f "$f" ] && echo "$f"; done)
else
    all=$(find api bench src tests tools -type f)
fi
files=$(printf '%s\n' "$all" | grep -E '^(src|tests|tools|bench)/.*\.(c|h|cc)$')
[ -n "$files" ] || { echo "check: found no files to look at" >&2; exit 1; }
format=$(command -v clang-format-14 || command -v clang-format)
if [ "${1-}" = --format ]; then
    exec $format -i $files
fi
bad=0
complain() {
    printf '%s\n' "$*"
    bad=1
}

# 1. The formatter has nothing to say.
for f in $files; do
    $format --style=file "$f" | cmp -s - "$f" || complain "$f: not formatted; run 'make format'"
done

# 2. Folders depend downwards only. Each folder with what it may include.
allowed() {
    case $1 in
    base) echo base ;;
    wire) echo base wire ;;
    sys) echo base sys ;;
    api) echo base wire api ;;
    store) echo base wire sys api store ;;
    server) echo base wire sys api store server client ;;
    client) echo base wire sys api client ;;
    ctrl | sched | node | net | cli) echo base wire sys api client "$1" ;;
    esac
}
for f in $(printf '%s\n' $files | grep -E '^src/[a-z]+/' | grep -vE '_(test|fuzz)\.c$'); do
    folder=$(printf '%s' "$f" | cut -d/ -f2)
    ok=" $(allowed "$folder") "
    grep -nE '^ *# *include *"\.' "$f" | sed "s|^|$f:|; s|\$| (includes start at src/)|"
    sed -n 's/^ *# *include *"\([a-z0-9_]*\)\/.*/\1/p' "$f" | sort -u | while read -r to; do
        case $ok in
        *" $to "*) ;;
        *) [ -d "src/$to" ] && echo "$f: includes from '$to', which '$folder' may not know" ;;
        esac
    done
done >build/check-includes.txt
[ -s build/check-includes.txt ] && { cat build/check-includes.txt; bad=1; }

# 3. Every header compiles alone, once.
for f in $(printf '%s\n' $files | grep '\.h$' | grep -v '^bench/'); do
    printf '#include "%s"\n' "${f#src/}" | sed 's|"tests/|"|; s|"tools/|"../tools/|' |
        gcc -std=gnu17 -D_GNU_SOURCE -iquote src -iquote tests -iquote build/gen -Wall -Wextra -Werror -fsyntax-only -x c - 2>build/check-header.txt ||
        { complain "$f: does not compile alone:"; cat build/check-header.txt; }
done

# 4. Words of the C library that have no place here.
for f in $(printf '%s\n' $files | grep '^src/' | grep '\.[ch]$'); do
    banned='strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|strtol|strtoul|alloca|gets'
    [ "$f" = src/base/mem.c ] || banned="$banned|malloc|calloc|realloc|free|strdup"
    hits=$(grep -nE "(^|[^a-z_A-Z0-9>.])($banned) *\(" "$f" | grep -vE '^[0-9]+: *(/?\*|//)')
    [ -z "$hits" ] || complain "$f: heap calls go through base/mem.h, text through str and buf:
$hits"
done

# 5. Clock, randomness, files, network, processes: by src/sys only, as the symbols of the objects tell. (Formatted output
#    to stderr, as in base/defs.c, is none of these.) Also under their other names: open64, __read_chk, __open_2.
system_calls='
clock time gettimeofday clock_gettime clock_getres clock_nanosleep nanosleep usleep sleep alarm setitimer
timer_create timerfd_create localtime localtime_r mktime tzset
getenv secure_getenv gethostname uname
getrandom getentropy rand srand rand_r random srandom drand48 lrand48 mrand48 srand48 arc4random arc4random_buf
arc4random_uniform RAND_bytes RAND_priv_bytes
open openat openat2 creat fopen freopen fdopen tmpfile mkstemp mkostemp opendir fdopendir scandir nftw glob
stat lstat fstat fstatat statx access faccessat realpath readlink readlinkat getcwd chdir
read readv pread preadv write writev pwrite pwritev sendfile splice copy_file_range mmap msync
fsync fdatasync sync syncfs truncate ftruncate fallocate posix_fallocate flock lockf fcntl ioctl
unlink unlinkat remove rename renameat renameat2 mkdir mkdirat rmdir link linkat symlink symlinkat chmod fchmod
chown fchown mount umount umount2
socket socketpair connect bind listen accept accept4 send sendto sendmsg sendmmsg recv recvfrom recvmsg recvmmsg
shutdown setsockopt getsockopt getaddrinfo gethostbyname pipe pipe2 dup dup2 dup3 close
poll ppoll select pselect epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 eventfd signalfd inotify_init1
fork vfork execv execve execvp execvpe posix_spawn posix_spawnp system popen wait waitpid waitid kill raise
signal sigaction pthread_create prctl syscall
'
for f in $(printf '%s\n' $files | grep -E '^src/[a-z]+/.*\.c$' | grep -vE '^src/sys/|_(test|fuzz)\.c$'); do
    object=build/release/obj/${f%.c}.o
    [ -f "$object" ] || continue
    hits=$(nm -u --format=posix "$object" | sed 's/ .*//; s/^__//; s/_chk$//; s/_2$//; s/64$//' |
        grep -Fx -e "$(printf '%s\n' $system_calls)" | sort -u | tr '\n' ' ')
    [ -z "$hits" ] || complain "$f: asks the system itself, which only src/sys may: $hits"
done

[ $bad = 0 ] && echo "check: ok"
exit $bad
