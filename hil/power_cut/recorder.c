/* Preloaded into one process: every change to files below RECORD_FOLDER goes to the log RECORD_LOG, in order.
 *
 * A record of the log: kind (char), length of the name, length of the data, offset, then name and data.
 * kinds: c made, w written, t cut to `offset`, s synced, r renamed (data is the new name), u removed.
 * The lock is held over the call and its record, so that the log has the order in which the kernel saw them.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define MOST_FILES 4096

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *name_of[MOST_FILES];
static int log_fd = -1;
static const char *folder;

static int recorded(const char *path) {
  if (!folder && (folder = getenv("RECORD_FOLDER")) == NULL) return 0;
  size_t n = strlen(folder);
  return strncmp(path, folder, n) == 0 && path[n] == '/' && !strstr(path, "-shm");
}

static void note(char kind, const char *name, const void *data, uint32_t size, uint64_t offset) {
  if (log_fd < 0) log_fd = syscall(SYS_openat, AT_FDCWD, getenv("RECORD_LOG"), O_WRONLY | O_CREAT | O_APPEND, 0644);
  char head[17];
  uint32_t length = strlen(name);
  head[0] = kind;
  memcpy(head + 1, &length, 4);
  memcpy(head + 5, &size, 4);
  memcpy(head + 9, &offset, 8);
  struct iovec parts[3] = {{head, sizeof head}, {(void *)name, length}, {(void *)data, size}};
  syscall(SYS_writev, log_fd, parts, 3);
}

static const char *known(int fd) { return fd >= 0 && fd < MOST_FILES ? name_of[fd] : NULL; }

static int opened(int (*real)(const char *, int, ...), const char *path, int flags, mode_t mode) {
  if (!recorded(path)) return real(path, flags, mode);
  pthread_mutex_lock(&lock);
  int was = syscall(SYS_faccessat, AT_FDCWD, path, F_OK, 0) == 0;
  int fd = real(path, flags, mode);
  if (fd >= 0 && fd < MOST_FILES) {
    name_of[fd] = strdup(path);
    if (!was) note('c', path, "", 0, 0);
    if (was && (flags & O_TRUNC)) note('t', path, "", 0, 0);
  }
  pthread_mutex_unlock(&lock);
  return fd;
}

#define OPEN(function)                                                   \
  int function(const char *path, int flags, ...) {                       \
    static int (*real)(const char *, int, ...);                          \
    if (!real) real = dlsym(RTLD_NEXT, #function);                       \
    va_list more;                                                        \
    va_start(more, flags);                                               \
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0; \
    va_end(more);                                                        \
    return opened(real, path, flags, mode);                              \
  }
OPEN(open)
OPEN(open64)

int close(int fd) {
  if (known(fd)) {
    pthread_mutex_lock(&lock);
    free(name_of[fd]);
    name_of[fd] = NULL;
    pthread_mutex_unlock(&lock);
  }
  return syscall(SYS_close, fd);
}

static ssize_t written(int fd, const void *data, size_t size, off64_t offset, int at) {
  pthread_mutex_lock(&lock);
  struct stat told;
  if (!at) { /* appended, or where the file stands */
    offset = syscall(SYS_fcntl, fd, F_GETFL) & O_APPEND ? (fstat(fd, &told), told.st_size) : lseek(fd, 0, SEEK_CUR);
  }
  ssize_t done = at ? syscall(SYS_pwrite64, fd, data, size, offset) : syscall(SYS_write, fd, data, size);
  if (done > 0) note('w', name_of[fd], data, done, offset);
  pthread_mutex_unlock(&lock);
  return done;
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset) {
  return known(fd) ? written(fd, data, size, offset, 1) : syscall(SYS_pwrite64, fd, data, size, offset);
}
ssize_t pwrite(int fd, const void *data, size_t size, off_t offset) { return pwrite64(fd, data, size, offset); }
ssize_t write(int fd, const void *data, size_t size) {
  return known(fd) ? written(fd, data, size, 0, 0) : syscall(SYS_write, fd, data, size);
}

int ftruncate64(int fd, off64_t size) {
  if (!known(fd)) return syscall(SYS_ftruncate, fd, size);
  pthread_mutex_lock(&lock);
  int done = syscall(SYS_ftruncate, fd, size);
  if (done == 0) note('t', name_of[fd], "", 0, size);
  pthread_mutex_unlock(&lock);
  return done;
}
int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

static int synced(int call, int fd) {
  if (!known(fd)) return syscall(call, fd);
  pthread_mutex_lock(&lock);
  int done = syscall(call, fd);
  if (done == 0) note('s', name_of[fd], "", 0, 0);
  pthread_mutex_unlock(&lock);
  return done;
}
int fsync(int fd) { return synced(SYS_fsync, fd); }
int fdatasync(int fd) { return synced(SYS_fdatasync, fd); }

int rename(const char *from, const char *to) {
  if (!recorded(from)) return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
  pthread_mutex_lock(&lock);
  int done = syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
  if (done == 0) note('r', from, to, strlen(to), 0);
  pthread_mutex_unlock(&lock);
  return done;
}

int unlink(const char *path) {
  if (!recorded(path)) return syscall(SYS_unlinkat, AT_FDCWD, path, 0);
  pthread_mutex_lock(&lock);
  int done = syscall(SYS_unlinkat, AT_FDCWD, path, 0);
  if (done == 0) note('u', path, "", 0, 0);
  pthread_mutex_unlock(&lock);
  return done;
}
