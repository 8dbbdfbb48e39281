/* Preloaded into a program and what it starts: the n-th call of a kind on a path below a directory fails, writes less
 * than it was given, or kills its process. All processes count together, in the file FAULT_STATE, which they map and
 * which says what to do (nth_failure.py). */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { KILL = -1, SHORT = -2, EXIT = -3, JUMP = -4, SIGNALS = -100 };

struct state {
    char below[512];         /* the directory, without a slash at its end */
    char kind[32];           /* of calls, or "any" */
    int64_t number;          /* which call; 0 only counts */
    int64_t action;          /* an errno, KILL, SHORT, EXIT (a worker, with 0), JUMP (of the clock), a signal below SIGNALS */
    int64_t sticky;          /* whether all later calls fail, too */
    _Atomic int64_t counted; /* calls so far */
    _Atomic int64_t reached; /* how often the fault was injected */
    int64_t jump;            /* seconds that the clock is ahead once it has jumped */
    char path[512];          /* where, the first time */
    _Atomic int64_t of[16];  /* calls so far, by kind */
};

static const char *const kinds[] = {"open", "write", "fsync", "rename", "link", "mkdir", "ftruncate", "unlink", "close"};
static struct state *state;
static int is_worker;

__attribute__((constructor)) static void start(void) {
    const char *name = getenv("FAULT_STATE");
    int file = name ? (int)syscall(SYS_openat, AT_FDCWD, name, O_RDWR | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *mapped = mmap(NULL, sizeof *state, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (mapped != MAP_FAILED) state = mapped;
    syscall(SYS_close, file);
    char command[4096] = "";
    file = (int)syscall(SYS_openat, AT_FDCWD, "/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t length = file < 0 ? 0 : syscall(SYS_read, file, command, sizeof command);
    is_worker = length > 0 && memmem(command, (size_t)length, "spawn_main", 10) != NULL;
    if (file >= 0) syscall(SYS_close, file);
}

static int is_below(const char *path) {
    size_t length = strlen(state->below);
    return !strncmp(path, state->below, length) && (path[length] == '/' || !path[length]);
}

/* The action for a call on a path; 0 is to let it pass. */
static int64_t action_at(const char *kind, const char *path) {
    if (!is_below(path)) return 0;
    for (size_t each = 0; each < sizeof kinds / sizeof *kinds; each++)
        if (!strcmp(kinds[each], kind)) atomic_fetch_add(&state->of[each], 1);
    if (strcmp(state->kind, "any") && strcmp(state->kind, kind)) return 0;
    int64_t number = atomic_fetch_add(&state->counted, 1) + 1;
    if (!state->number || number < state->number || (number > state->number && !state->sticky)) return 0;
    if (state->action == EXIT && !is_worker) return 0;
    if (!atomic_fetch_add(&state->reached, 1)) snprintf(state->path, sizeof state->path, "%s %s", kind, path);
    if (state->action == KILL) {
        syscall(SYS_kill, getpid(), SIGKILL);
        for (;;) pause();
    }
    if (state->action == EXIT) _exit(0);
    if (state->action < SIGNALS) {
        syscall(SYS_kill, getpid(), (int)(SIGNALS - state->action));
        return 0;
    }
    return state->action;
}

static int64_t action_on_file(const char *kind, int file) {
    char link[64], path[PATH_MAX];
    if (!state || !state->below[0] || file < 0) return 0;
    int before = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
    errno = before;
    if (length < 0) return 0;
    path[length] = 0;
    return action_at(kind, path);
}

static int64_t action_on_path(const char *kind, int directory, const char *name) {
    char link[64], path[2 * PATH_MAX];
    if (!state || !state->below[0] || !name) return 0;
    if (name[0] == '/') return action_at(kind, name);
    int before = errno;
    if (directory == AT_FDCWD) snprintf(link, sizeof link, "/proc/self/cwd");
    else snprintf(link, sizeof link, "/proc/self/fd/%d", directory);
    ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, path, PATH_MAX - 1);
    errno = before;
    if (length < 0) return 0;
    snprintf(path + length, sizeof path - length, "/%s", name);
    return action_at(kind, path);
}

#define NEXT(result, name, ...) \
    static result (*next)(__VA_ARGS__); \
    if (!next) next = (result(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

#define FAIL_IF(action) \
    do { int64_t found_ = (action); if (found_ > 0) { errno = (int)found_; return -1; } } while (0)

#define MODE(flags, last) \
    mode_t mode = 0; \
    if ((flags) & (O_CREAT | O_TMPFILE)) { va_list rest; va_start(rest, last); mode = va_arg(rest, mode_t); va_end(rest); }

#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        NEXT(int, #name, const char *, int, ...); \
        MODE(flags, flags) \
        FAIL_IF(action_on_path("open", AT_FDCWD, path)); \
        return next(path, flags, mode); \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name) \
    int name(int directory, const char *path, int flags, ...) { \
        NEXT(int, #name, int, const char *, int, ...); \
        MODE(flags, flags) \
        FAIL_IF(action_on_path("open", directory, path)); \
        return next(directory, path, flags, mode); \
    }
OPENAT(openat)
OPENAT(openat64)

DIR *opendir(const char *path) {
    NEXT(DIR *, "opendir", const char *);
    int64_t action = action_on_path("open", AT_FDCWD, path);
    if (action > 0) { errno = (int)action; return NULL; }
    return next(path);
}

ssize_t write(int file, const void *from, size_t size) {
    NEXT(ssize_t, "write", int, const void *, size_t);
    int64_t action = action_on_file("write", file);
    FAIL_IF(action);
    return next(file, from, action == SHORT && size > 1 ? size / 2 : size);
}

#define PWRITE(name, offset_type) \
    ssize_t name(int file, const void *from, size_t size, offset_type offset) { \
        NEXT(ssize_t, #name, int, const void *, size_t, offset_type); \
        int64_t action = action_on_file("write", file); \
        FAIL_IF(action); \
        return next(file, from, action == SHORT && size > 1 ? size / 2 : size, offset); \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

ssize_t writev(int file, const struct iovec *parts, int count) {
    NEXT(ssize_t, "writev", int, const struct iovec *, int);
    int64_t action = action_on_file("write", file);
    FAIL_IF(action);
    return next(file, parts, action == SHORT && count > 1 ? count / 2 : count);
}

ssize_t read(int file, void *into, size_t size) {
    NEXT(ssize_t, "read", int, void *, size_t);
    int64_t action = action_on_file("read", file);
    FAIL_IF(action);
    return next(file, into, action == SHORT && size > 1 ? size / 2 : size);
}

#define ON_FILE(kind, name) \
    int name(int file) { \
        NEXT(int, #name, int); \
        FAIL_IF(action_on_file(kind, file)); \
        return next(file); \
    }
ON_FILE("fsync", fsync)
ON_FILE("fsync", fdatasync)

/* Linux closes a file whatever close says of it. */
int close(int file) {
    NEXT(int, "close", int);
    int64_t action = action_on_file("close", file);
    int result = next(file);
    FAIL_IF(action);
    return result;
}

int ftruncate(int file, off_t size) {
    NEXT(int, "ftruncate", int, off_t);
    FAIL_IF(action_on_file("ftruncate", file));
    return next(file, size);
}

int ftruncate64(int file, off64_t size) {
    NEXT(int, "ftruncate64", int, off64_t);
    FAIL_IF(action_on_file("ftruncate", file));
    return next(file, size);
}

int fchmod(int file, mode_t mode) {
    NEXT(int, "fchmod", int, mode_t);
    FAIL_IF(action_on_file("chmod", file));
    return next(file, mode);
}

int rename(const char *from, const char *to) {
    NEXT(int, "rename", const char *, const char *);
    FAIL_IF(action_on_path("rename", AT_FDCWD, to));
    return next(from, to);
}

int renameat(int from_directory, const char *from, int to_directory, const char *to) {
    NEXT(int, "renameat", int, const char *, int, const char *);
    FAIL_IF(action_on_path("rename", to_directory, to));
    return next(from_directory, from, to_directory, to);
}

int link(const char *from, const char *to) {
    NEXT(int, "link", const char *, const char *);
    FAIL_IF(action_on_path("link", AT_FDCWD, to));
    return next(from, to);
}

int symlink(const char *target, const char *path) {
    NEXT(int, "symlink", const char *, const char *);
    FAIL_IF(action_on_path("link", AT_FDCWD, path));
    return next(target, path);
}

int mkdir(const char *path, mode_t mode) {
    NEXT(int, "mkdir", const char *, mode_t);
    FAIL_IF(action_on_path("mkdir", AT_FDCWD, path));
    return next(path, mode);
}

int unlink(const char *path) {
    NEXT(int, "unlink", const char *);
    FAIL_IF(action_on_path("unlink", AT_FDCWD, path));
    return next(path);
}

int unlinkat(int directory, const char *path, int flags) {
    NEXT(int, "unlinkat", int, const char *, int);
    FAIL_IF(action_on_path("unlink", directory, path));
    return next(directory, path, flags);
}

int rmdir(const char *path) {
    NEXT(int, "rmdir", const char *);
    FAIL_IF(action_on_path("unlink", AT_FDCWD, path));
    return next(path);
}

/* The time of day jumps once the call was reached. */
int clock_gettime(clockid_t clock, struct timespec *now) {
    NEXT(int, "clock_gettime", clockid_t, struct timespec *);
    int result = next(clock, now);
    if (!result && state && clock == CLOCK_REALTIME && state->action == JUMP && atomic_load(&state->reached))
        now->tv_sec += state->jump;
    return result;
}

time_t time(time_t *where) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (where) *where = now.tv_sec;
    return now.tv_sec;
}
