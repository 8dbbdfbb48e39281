/* Preloaded into a program: writes down, in the file FAULT_RECORD, every call below the directory FAULT_BELOW that
 * changes a file or a directory, or makes it durable, once it has succeeded: a line each of what was done, where, and
 * with which name or bytes, in hexadecimal digits, parted by tabs. power.py reads it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MOST = 1 << 16 };

static int record = -1;
static const char *below = "";

__attribute__((constructor)) static void start(void) {
    const char *name = getenv("FAULT_RECORD");
    if (getenv("FAULT_BELOW")) below = getenv("FAULT_BELOW");
    if (name) record = (int)syscall(SYS_openat, AT_FDCWD, name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

static int is_below(const char *path) {
    size_t length = strlen(below);
    return length && !strncmp(path, below, length) && path[length] == '/';
}

static void note(const char *kind, const char *path, const void *more, size_t size) {
    static __thread char line[2 * MOST + 2 * PATH_MAX];
    if (record < 0 || !is_below(path) || size > MOST) return;
    int before = errno;
    int length = snprintf(line, 2 * PATH_MAX, "%s\t%s\t", kind, path);
    for (size_t each = 0; each < size; each++, length += 2)
        snprintf(line + length, 3, "%02x", ((const unsigned char *)more)[each]);
    line[length++] = '\n';
    syscall(SYS_write, record, line, (size_t)length);
    errno = before;
}

/* The path that a descriptor leads to; empty if it cannot be told. */
static const char *path_of(int file, char *path) {
    char link[64];
    int before = errno;
    if (file == AT_FDCWD) snprintf(link, sizeof link, "/proc/self/cwd");
    else snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, path, PATH_MAX - 1);
    errno = before;
    path[length < 0 ? 0 : length] = 0;
    return path;
}

static const char *path_at(int directory, const char *name, char *path) {
    if (name[0] == '/') return name;
    path_of(directory, path);
    size_t length = strlen(path);
    snprintf(path + length, PATH_MAX - length, "/%s", name);
    return path;
}

#define NEXT(result, name, ...) \
    static result (*next)(__VA_ARGS__); \
    if (!next) next = (result(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

#define NOTE_AT(kind, directory, name, more, size) \
    do { char path_[2 * PATH_MAX]; if (result >= 0) note(kind, path_at(directory, name, path_), more, size); } while (0)

#define NOTE_ON(kind, file, more, size) \
    do { char path_[2 * PATH_MAX]; if (result >= 0) note(kind, path_of(file, path_), more, size); } while (0)

#define MODE(flags, last) \
    mode_t mode = 0; \
    if ((flags) & (O_CREAT | O_TMPFILE)) { va_list rest; va_start(rest, last); mode = va_arg(rest, mode_t); va_end(rest); }

#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        NEXT(int, #name, const char *, int, ...); \
        MODE(flags, flags) \
        int result = next(path, flags, mode); \
        if (flags & O_CREAT) NOTE_AT("create", AT_FDCWD, path, "", 0); \
        if (flags & O_TRUNC) NOTE_AT("empty", AT_FDCWD, path, "", 0); \
        return result; \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name) \
    int name(int directory, const char *path, int flags, ...) { \
        NEXT(int, #name, int, const char *, int, ...); \
        MODE(flags, flags) \
        int result = next(directory, path, flags, mode); \
        if (flags & O_CREAT) NOTE_AT("create", directory, path, "", 0); \
        if (flags & O_TRUNC) NOTE_AT("empty", directory, path, "", 0); \
        return result; \
    }
OPENAT(openat)
OPENAT(openat64)

ssize_t write(int file, const void *from, size_t size) {
    NEXT(ssize_t, "write", int, const void *, size_t);
    ssize_t result = next(file, from, size);
    NOTE_ON("write", file, from, (size_t)result);
    return result;
}

#define ON_FILE(name) \
    int name(int file) { \
        NEXT(int, #name, int); \
        int result = next(file); \
        NOTE_ON("sync", file, "", 0); \
        return result; \
    }
ON_FILE(fsync)
ON_FILE(fdatasync)

int rename(const char *from, const char *to) {
    NEXT(int, "rename", const char *, const char *);
    char path[2 * PATH_MAX];
    int result = next(from, to);
    const char *target = path_at(AT_FDCWD, to, path);
    NOTE_AT("rename", AT_FDCWD, from, target, strlen(target));
    return result;
}

int symlink(const char *target, const char *name) {
    NEXT(int, "symlink", const char *, const char *);
    int result = next(target, name);
    NOTE_AT("link", AT_FDCWD, name, target, strlen(target));
    return result;
}

int mkdir(const char *name, mode_t mode) {
    NEXT(int, "mkdir", const char *, mode_t);
    int result = next(name, mode);
    NOTE_AT("mkdir", AT_FDCWD, name, "", 0);
    return result;
}

int unlink(const char *name) {
    NEXT(int, "unlink", const char *);
    int result = next(name);
    NOTE_AT("unlink", AT_FDCWD, name, "", 0);
    return result;
}

int unlinkat(int directory, const char *name, int flags) {
    NEXT(int, "unlinkat", int, const char *, int);
    int result = next(directory, name, flags);
    NOTE_AT("unlink", directory, name, "", 0);
    return result;
}

int rmdir(const char *name) {
    NEXT(int, "rmdir", const char *);
    int result = next(name);
    NOTE_AT("unlink", AT_FDCWD, name, "", 0);
    return result;
}
