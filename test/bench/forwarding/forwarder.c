/* The yardstick: a forwarder as C would have it. Waits, receives a batch, sends every datagram to one target.
 *
 *   forwarder LISTEN_ADDRESS LISTEN_PORT TARGET_ADDRESS TARGET_PORT
 *
 * Prints "ready", runs until killed. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { BATCH = 64, SLOT = 2048 };

static char slots[BATCH][SLOT];
static struct sockaddr_in peers[BATCH];
static struct iovec vectors[BATCH];
static struct mmsghdr headers[BATCH];

static struct sockaddr_in address(char **words) {
  struct sockaddr_in result = {.sin_family = AF_INET, .sin_port = htons(atoi(words[1]))};
  inet_pton(AF_INET, words[0], &result.sin_addr);
  return result;
}

int main(int argc, char **argv) {
  if (argc != 5) return 2;
  struct sockaddr_in local = address(argv + 1), target = address(argv + 3);
  int buffer = 4 << 20, off = 0, on = 1;
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
  setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &off, sizeof off);
  setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on);
  if (fd < 0 || bind(fd, (struct sockaddr *)&local, sizeof local) < 0) return 1;
  puts("ready");
  fflush(stdout);

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
      vectors[i].iov_len = headers[i].msg_len;
      peers[i] = target;
    }
    for (int sent = 0; sent < count;) {
      int more = sendmmsg(fd, headers + sent, count - sent, 0);
      sent += more > 0 ? more : 1;
    }
  }
}
