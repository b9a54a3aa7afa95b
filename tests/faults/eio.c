/* A file system that fails once: the n-th write, fsync or rename below a folder returns EIO, all others are passed on.

   EIO_BELOW names the folder, EIO_AT is n (0: none, they are counted), EIO_TOLD a file that tells what was failed. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static long met = 0;

static int below(const char *path) {
    const char *folder = getenv("EIO_BELOW");
    return folder && path && strncmp(path, folder, strlen(folder)) == 0;
}

static int below_fd(int fd) {
    char name[64], path[PATH_MAX];
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(name, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return below(path);
}

static void tell(const char *what) {
    ssize_t (*real)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
    const char *told = getenv("EIO_TOLD");
    int fd = told ? open(told, O_WRONLY | O_CREAT | O_APPEND, 0600) : -1;
    if (fd < 0) return;
    if (real(fd, what, strlen(what)) && real(fd, "\n", 1)) {}
    close(fd);
}

static int fails(const char *what) {
    const char *at = getenv("EIO_AT");
    long n = __sync_add_and_fetch(&met, 1);
    if (!at || atol(at) == 0) tell(what); /* they are counted */
    if (!at || n != atol(at)) return 0;
    tell(what);
    errno = EIO;
    return 1;
}

ssize_t write(int fd, const void *from, size_t n) {
    ssize_t (*real)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
    return below_fd(fd) && fails("write") ? -1 : real(fd, from, n);
}

ssize_t writev(int fd, const struct iovec *from, int n) {
    ssize_t (*real)(int, const struct iovec *, int) = dlsym(RTLD_NEXT, "writev");
    return below_fd(fd) && fails("writev") ? -1 : real(fd, from, n);
}

int fsync(int fd) {
    int (*real)(int) = dlsym(RTLD_NEXT, "fsync");
    return below_fd(fd) && fails("fsync") ? -1 : real(fd);
}

int rename(const char *from, const char *to) {
    int (*real)(const char *, const char *) = dlsym(RTLD_NEXT, "rename");
    return below(to) && fails("rename") ? -1 : real(from, to);
}
