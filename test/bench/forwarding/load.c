/* Sends datagrams to a forwarder and counts what it passes on.
 *
 *   load DATAGRAM_BYTES PER_SECOND SECONDS     PER_SECOND 0: as fast as the machine can
 *
 * Prints its own port and reads the forwarder's, sends, then "stop",
 * then prints `sent received`. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 32, SOCKETS = 16, SLOT = 2048 };

static int sink;
static volatile long received;

static double now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return at.tv_sec + at.tv_nsec / 1e9;
}

static void *drain(void *unused) {
  static char slots[64][SLOT];
  struct iovec vectors[64];
  struct mmsghdr headers[64] = {0};
  for (int i = 0; i < 64; i++) {
    vectors[i] = (struct iovec){slots[i], SLOT};
    headers[i].msg_hdr = (struct msghdr){.msg_iov = &vectors[i], .msg_iovlen = 1};
  }
  for (;;) {
    int count = recvmmsg(sink, headers, 64, MSG_WAITFORONE, NULL);
    if (count > 0) received += count;
  }
  return unused;
}

static int bound_socket(void) {
  struct sockaddr_in local = {.sin_family = AF_INET};
  int buffer = 4 << 20, fd = socket(AF_INET, SOCK_DGRAM, 0);
  inet_pton(AF_INET, "127.0.0.1", &local.sin_addr);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
  if (fd < 0 || bind(fd, (struct sockaddr *)&local, sizeof local) < 0) exit(1);
  return fd;
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  int bytes = atoi(argv[1]), per_second = atoi(argv[2]), port = 0;
  double seconds = atof(argv[3]);
  struct sockaddr_in target = {.sin_family = AF_INET}, local;
  socklen_t length = sizeof local;
  pthread_t thread;
  sink = bound_socket();
  getsockname(sink, (struct sockaddr *)&local, &length);
  printf("%d\n", ntohs(local.sin_port));
  fflush(stdout);
  if (scanf("%d", &port) != 1) return 1;
  inet_pton(AF_INET, "127.0.0.1", &target.sin_addr);
  target.sin_port = htons(port);
  pthread_create(&thread, NULL, drain, NULL);

  static char payload[SLOT];
  memset(payload, 'x', sizeof payload);
  struct iovec vector = {payload, bytes};
  struct mmsghdr headers[BATCH] = {0};
  int sockets[SOCKETS];
  for (int i = 0; i < SOCKETS; i++) sockets[i] = bound_socket();
  for (int i = 0; i < BATCH; i++)
    headers[i].msg_hdr = (struct msghdr){
        .msg_name = &target, .msg_namelen = sizeof target, .msg_iov = &vector, .msg_iovlen = 1};

  long sent = 0;
  double began = now();
  while (now() - began < seconds) {
    if (per_second > 0 && sent > (now() - began) * per_second) {
      usleep(50);
      continue;
    }
    int count = sendmmsg(sockets[(sent / BATCH) % SOCKETS], headers, BATCH, 0);
    if (count > 0) sent += count;
  }
  for (int i = 0; i < 50; i++) {
    usleep(10000);
    sendto(sockets[0], "stop", 4, 0, (struct sockaddr *)&target, sizeof target);
  }
  printf("%ld %ld\n", sent, received);
  return 0;
}
