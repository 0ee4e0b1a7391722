/* Listens on 127.0.0.1:PORT, and has the kernel call it by the path of PROGRAM, as any user may in a user namespace of its own:
   forger PROGRAM PORT. The one condition is that no file of its own is mapped any more, so anonymous memory takes its place. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

struct part { unsigned long begin, end; int rights; };

static int failed(const char *what)
{
    perror(what);
    return 1;
}

static int parts_of(const char *path, struct part *parts)
{
    char line[512], rights[5];
    int count = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (fgets(line, sizeof line, maps))
        if (strstr(line, path) && count < 16) {
            struct part *one = &parts[count++];
            sscanf(line, "%lx-%lx %4s", &one->begin, &one->end, rights);
            one->rights = (rights[0] == 'r' ? PROT_READ : 0) | (rights[1] == 'w' ? PROT_WRITE : 0) | (rights[2] == 'x' ? PROT_EXEC : 0);
        }
    fclose(maps);
    return count;
}

static int put_memory_in_place_of(struct part one)
{
    size_t size = one.end - one.begin;
    void *copy = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memcpy(copy, (void *)one.begin, size);
    mprotect(copy, size, one.rights);
    return mremap(copy, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)one.begin) == MAP_FAILED;
}

static struct prctl_mm_map own_map(void)
{
    char line[1024];
    unsigned long fields[64] = {0};
    int at = 3;
    FILE *stat = fopen("/proc/self/stat", "r");
    fgets(line, sizeof line, stat);
    fclose(stat);
    for (char *word = strtok(strrchr(line, ')') + 2, " "); word && at < 64; word = strtok(NULL, " ")) fields[at++] = strtoul(word, NULL, 10);
    return (struct prctl_mm_map){
        .start_code = fields[26], .end_code = fields[27], .start_stack = fields[28], .start_data = fields[45], .end_data = fields[46],
        .start_brk = fields[47], .brk = (unsigned long)sbrk(0), .arg_start = fields[48], .arg_end = fields[49], .env_start = fields[50],
        .env_end = fields[51],
    };
}

int main(int count, char **words)
{
    char path[256] = "";
    struct part parts[16];
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(atoi(words[count - 1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int socket_ = socket(AF_INET, SOCK_STREAM, 0), program = open(words[1], O_RDONLY);
    if (bind(socket_, (struct sockaddr *)&at, sizeof at) || listen(socket_, 1)) return failed("listen");
    if (unshare(CLONE_NEWUSER)) return failed("unshare");
    readlink("/proc/self/exe", path, sizeof path - 1);
    int many = parts_of(path, parts);
    for (int one = 0; one < many; one++)
        if (put_memory_in_place_of(parts[one])) return failed("mremap");
    struct prctl_mm_map map = own_map();
    map.exe_fd = program;
    if (prctl(PR_SET_MM, PR_SET_MM_MAP, &map, sizeof map, 0)) return failed("prctl");
    printf("up %d\n", getpid());
    fflush(stdout);
    pause();
}
