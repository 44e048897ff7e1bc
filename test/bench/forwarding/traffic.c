/* Phones and proxies for the forwarding benchmarks: sends recorded datagrams from many sockets, takes in what comes out.
 *
 *   traffic flood   RECORDING PER_SECOND SECONDS PID...    PER_SECOND 0: as fast as the machine can
 *   traffic latency RECORDING PER_SECOND SECONDS           one datagram at a time
 *
 * flood prints `sent received dropped cpuMicroseconds` of the time after the warm-up: what the sockets here received or had
 * no room for was forwarded, and the CPU time is that of the processes PID..., all their threads, as the kernel counts it.
 * latency prints `sent lost p50 p90 p99 p99.9` in microseconds, from before the send until the kernel queued the answer.
 *
 * RECORDING, little-endian: u32 sockets, each u32 IPv4 address and u16 port, then u32 datagrams, each u16 socket,
 * u32 address and u16 port to send to, u16 length, bytes. Addresses as in_addr, ports in host order. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SOCKETS_MAX = 256, BATCH = 32, SLOT = 2048, MEMINFO_DROPS = 8, LATENCIES_MAX = 1 << 20 };
static const double WARM_UP_SECONDS = 1.5;

struct datagram {
  int socket;
  struct sockaddr_in to;
  struct iovec bytes;
};

static int sockets[SOCKETS_MAX], socket_count;
static struct datagram *datagrams;
static long datagram_count;
static volatile long received;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static double now(clockid_t clock) {
  struct timespec at;
  clock_gettime(clock, &at);
  return at.tv_sec + at.tv_nsec / 1e9;
}

static unsigned take(FILE *file, int size) {
  unsigned value = 0;
  if (fread(&value, size, 1, file) != 1) fail("recording");
  return value;
}

static int open_socket(struct sockaddr_in local) {
  int buffer = 4 << 20, on = 1, fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
  setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
  if (fd < 0 || bind(fd, (struct sockaddr *)&local, sizeof local) < 0) fail("bind");
  return fd;
}

static struct sockaddr_in take_address(FILE *file) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  address.sin_addr.s_addr = take(file, 4);
  address.sin_port = htons(take(file, 2));
  return address;
}

static void read_recording(const char *path) {
  FILE *file = fopen(path, "r");
  if (file == NULL) fail(path);
  socket_count = take(file, 4);
  if (socket_count > SOCKETS_MAX) fail("too many sockets");
  for (int i = 0; i < socket_count; i++) sockets[i] = open_socket(take_address(file));
  datagram_count = take(file, 4);
  datagrams = calloc(datagram_count, sizeof *datagrams);
  for (long i = 0; i < datagram_count; i++) {
    datagrams[i].socket = take(file, 2);
    datagrams[i].to = take_address(file);
    datagrams[i].bytes.iov_len = take(file, 2);
    datagrams[i].bytes.iov_base = malloc(datagrams[i].bytes.iov_len);
    if (fread(datagrams[i].bytes.iov_base, datagrams[i].bytes.iov_len, 1, file) != 1) fail("recording");
  }
  fclose(file);
}

/* Never sleeps in a receive, so that no forwarder pays for waking it. */
static void *drain(void *unused) {
  static char slots[BATCH][SLOT];
  struct iovec vectors[BATCH];
  struct mmsghdr headers[BATCH] = {0};
  for (int i = 0; i < BATCH; i++) {
    vectors[i] = (struct iovec){slots[i], SLOT};
    headers[i].msg_hdr = (struct msghdr){.msg_iov = &vectors[i], .msg_iovlen = 1};
  }
  for (;;) {
    long before = received;
    for (int i = 0; i < socket_count; i++) {
      for (int count = BATCH; count == BATCH; received += count > 0 ? count : 0)
        count = recvmmsg(sockets[i], headers, BATCH, 0, NULL);
    }
    if (received == before) usleep(500);
  }
  return unused;
}

static long dropped(void) {
  long total = 0;
  for (int i = 0; i < socket_count; i++) {
    uint32_t info[9] = {0};
    socklen_t length = sizeof info;
    if (getsockopt(sockets[i], SOL_SOCKET, SO_MEMINFO, info, &length) == 0) total += info[MEMINFO_DROPS];
  }
  return total;
}

static double cpu_us(char **pids) {
  long ticks = 0, user, system;
  for (; *pids != NULL; pids++) {
    char path[64], line[512];
    snprintf(path, sizeof path, "/proc/%s/stat", *pids);
    FILE *file = fopen(path, "r");
    if (file == NULL || fgets(line, sizeof line, file) == NULL) fail(path);
    fclose(file);
    if (sscanf(strrchr(line, ')') + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %ld %ld", &user, &system) != 2) exit(1);
    ticks += user + system;
  }
  return ticks * 1e6 / sysconf(_SC_CLK_TCK);
}

/* The next run of datagrams of one socket, in one call; how many. */
static int send_some(long at) {
  static struct mmsghdr headers[BATCH];
  int count = 0, socket = datagrams[at].socket;
  for (; count < BATCH && at + count < datagram_count && datagrams[at + count].socket == socket; count++) {
    struct datagram *datagram = &datagrams[at + count];
    headers[count].msg_hdr = (struct msghdr){
        .msg_name = &datagram->to, .msg_namelen = sizeof datagram->to, .msg_iov = &datagram->bytes, .msg_iovlen = 1};
  }
  for (int sent = 0; sent < count;) {
    int more = sendmmsg(sockets[socket], headers + sent, count - sent, 0);
    sent += more > 0 ? more : 1;
  }
  return count;
}

static void flood(double per_second, double seconds, char **pids) {
  pthread_t thread;
  pthread_create(&thread, NULL, drain, NULL);
  long sent = 0, at = 0, sent_before = 0, received_before = 0, dropped_before = 0;
  double began = now(CLOCK_MONOTONIC), cpu_before = -1;
  for (;;) {
    double elapsed = now(CLOCK_MONOTONIC) - began;
    if (cpu_before < 0 && elapsed >= WARM_UP_SECONDS) {
      sent_before = sent;
      received_before = received;
      dropped_before = dropped();
      cpu_before = cpu_us(pids);
    }
    if (elapsed >= WARM_UP_SECONDS + seconds) break;
    if (per_second > 0 && sent > elapsed * per_second) {
      usleep(50);
      continue;
    }
    int count = send_some(at);
    sent += count;
    at = (at + count) % datagram_count;
  }
  double cpu = cpu_us(pids) - cpu_before;
  printf("%ld %ld %ld %.0f\n", sent - sent_before, received - received_before, dropped() - dropped_before, cpu);
}

/* Takes in whatever is there; the kernel's time of the last datagram, 0 if there was none. */
static double take_all(void) {
  double at = 0;
  for (int i = 0; i < socket_count; i++) {
    static char slot[SLOT], control[256];
    struct iovec vector = {slot, SLOT};
    struct msghdr header = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    while (recvmsg(sockets[i], &header, 0) > 0) {
      struct cmsghdr *cmsg = CMSG_FIRSTHDR(&header);
      if (cmsg != NULL && cmsg->cmsg_type == SO_TIMESTAMPNS) {
        struct timespec *stamp = (struct timespec *)CMSG_DATA(cmsg);
        at = stamp->tv_sec + stamp->tv_nsec / 1e9;
      }
      header.msg_controllen = sizeof control;
    }
  }
  return at;
}

static int ascending(const void *a, const void *b) {
  float difference = *(const float *)a - *(const float *)b;
  return (difference > 0) - (difference < 0);
}

static void latency(double per_second, double seconds) {
  static float latencies_us[LATENCIES_MAX];
  static struct pollfd ready[SOCKETS_MAX];
  long count = 0, lost = 0, sent = 0;
  for (int i = 0; i < socket_count; i++) ready[i] = (struct pollfd){.fd = sockets[i], .events = POLLIN};
  double began = now(CLOCK_MONOTONIC);
  for (;; sent++) {
    double wait = began + sent / per_second - now(CLOCK_MONOTONIC);
    if (wait > 0) usleep(wait * 1e6);
    if (now(CLOCK_MONOTONIC) - began > WARM_UP_SECONDS + seconds || count == LATENCIES_MAX) break;
    struct datagram *datagram = &datagrams[sent % datagram_count];
    take_all();
    double before = now(CLOCK_REALTIME);
    sendto(sockets[datagram->socket], datagram->bytes.iov_base, datagram->bytes.iov_len, 0, (struct sockaddr *)&datagram->to,
           sizeof datagram->to);
    poll(ready, socket_count, 200);
    double after = take_all();
    if (now(CLOCK_MONOTONIC) - began < WARM_UP_SECONDS) continue;
    if (after == 0) lost++;
    else latencies_us[count++] = (after - before) * 1e6;
  }
  if (count == 0) fail("nothing came back");
  qsort(latencies_us, count, sizeof *latencies_us, ascending);
  printf("%ld %ld %.1f %.1f %.1f %.1f\n", count + lost, lost, latencies_us[count / 2], latencies_us[count * 9 / 10],
         latencies_us[count * 99 / 100], latencies_us[count * 999L / 1000]);
}

int main(int argc, char **argv) {
  if (argc < 5) return 2;
  read_recording(argv[2]);
  if (strcmp(argv[1], "flood") == 0) flood(atof(argv[3]), atof(argv[4]), argv + 5);
  else latency(atof(argv[3]), atof(argv[4]));
  return 0;
}
