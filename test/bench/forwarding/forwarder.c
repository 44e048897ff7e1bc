/* The yardstick: a forwarder as C would have it. Waits, receives a batch, sends every datagram to one target.
 *
 *   forwarder TARGET_PORT
 *
 * Prints its port, then, after a datagram "stop", `packets cpuMicroseconds` as of the warm-up's end. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

enum { BATCH = 64, SLOT = 2048, WARM_UP = 50000 };

static char slots[BATCH][SLOT];
static struct sockaddr_in peers[BATCH];
static struct iovec vectors[BATCH];
static struct mmsghdr headers[BATCH];

static double cpu_us(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

int main(int argc, char **argv) {
  struct sockaddr_in local = {.sin_family = AF_INET}, target = local;
  socklen_t length = sizeof local;
  int buffer = 4 << 20, off = 0, on = 1;
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  if (argc != 2 || fd < 0) return 2;
  inet_pton(AF_INET, "127.0.0.1", &local.sin_addr);
  target.sin_addr = local.sin_addr;
  target.sin_port = htons(atoi(argv[1]));
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
  setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &off, sizeof off);
  setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on);
  if (bind(fd, (struct sockaddr *)&local, sizeof local) < 0) return 1;
  getsockname(fd, (struct sockaddr *)&local, &length);
  printf("%d\n", ntohs(local.sin_port));
  fflush(stdout);

  long packets = 0, counted_from = 0;
  double began_us = 0;
  for (;;) {
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    if (poll(&ready, 1, 50) <= 0) continue;
    for (int i = 0; i < BATCH; i++) {
      vectors[i] = (struct iovec){slots[i], SLOT};
      headers[i].msg_hdr = (struct msghdr){
          .msg_name = &peers[i], .msg_namelen = sizeof peers[i], .msg_iov = &vectors[i], .msg_iovlen = 1};
    }
    int count = recvmmsg(fd, headers, BATCH, 0, NULL);
    for (int i = 0; i < count; i++) {
      if (headers[i].msg_len == 4 && memcmp(slots[i], "stop", 4) == 0) {
        printf("%ld %.0f\n", packets - counted_from, cpu_us() - began_us);
        return 0;
      }
      vectors[i].iov_len = headers[i].msg_len;
      peers[i] = target;
    }
    for (int sent = 0; sent < count;) {
      int more = sendmmsg(fd, headers + sent, count - sent, 0);
      sent += more > 0 ? more : 1;
    }
    if (count > 0) packets += count;
    if (began_us == 0 && packets > WARM_UP) {
      began_us = cpu_us();
      counted_from = packets;
    }
  }
}
