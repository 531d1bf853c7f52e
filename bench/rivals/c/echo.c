// A raw TCP echo on one epoll loop: what no WebSocket server on this kernel can go
// below. Prints its port. Usage: echo [port]
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

// What a socket did not take yet. One connection at a time owns the buffer that it
// was read into; only connections that block get one of their own.
struct connection {
	int fd;
	char *rest;
	size_t from, to;
};

static char buffer[1 << 18];

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

// drain reports whether all of the rest was written; -1 says the peer has gone.
static int drain(struct connection *c)
{
	while (c->from < c->to) {
		ssize_t n = write(c->fd, c->rest + c->from, c->to - c->from);
		if (n < 0)
			return errno == EAGAIN ? 0 : -1;
		c->from += n;
	}
	free(c->rest);
	c->rest = NULL;
	return 1;
}

static void watch(int loop, int op, struct connection *c, unsigned events)
{
	struct epoll_event e = {.events = events, .data.ptr = c};
	if (epoll_ctl(loop, op, c->fd, &e) < 0)
		fail("epoll_ctl");
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGUSR2, SIG_IGN);
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	int one = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons(argc > 1 ? atoi(argv[1]) : 0)};
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	socklen_t size = sizeof addr;
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(listener, (struct sockaddr *)&addr, size) < 0 || listen(listener, 4096) < 0 ||
	    getsockname(listener, (struct sockaddr *)&addr, &size) < 0)
		fail("listen");
	printf("127.0.0.1:%d\n", ntohs(addr.sin_port));
	fflush(stdout);

	int loop = epoll_create1(0);
	struct connection self = {.fd = listener};
	watch(loop, EPOLL_CTL_ADD, &self, EPOLLIN);
	struct epoll_event events[512];
	for (;;) {
		int n = epoll_wait(loop, events, 512, -1);
		for (int i = 0; i < n; i++) {
			struct connection *c = events[i].data.ptr;
			if (c == &self) {
				int fd;
				while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
					struct connection *made = calloc(1, sizeof *made);
					if (!made)
						fail("calloc");
					setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
					made->fd = fd;
					watch(loop, EPOLL_CTL_ADD, made, EPOLLIN);
				}
				continue;
			}
			int gone = 0;
			if (c->rest) {
				int done = drain(c);
				if (done > 0)
					watch(loop, EPOLL_CTL_MOD, c, EPOLLIN);
				gone = done < 0;
			} else {
				ssize_t got = read(c->fd, buffer, sizeof buffer);
				gone = got == 0 || (got < 0 && errno != EAGAIN);
				ssize_t put = got > 0 ? write(c->fd, buffer, got) : 0;
				if (put < 0)
					put = 0;
				if (got > put) {
					c->rest = malloc(got - put);
					if (!c->rest)
						fail("malloc");
					__builtin_memcpy(c->rest, buffer + put, got - put);
					c->from = 0;
					c->to = got - put;
					watch(loop, EPOLL_CTL_MOD, c, EPOLLOUT);
				}
			}
			if (gone) {
				close(c->fd);
				free(c->rest);
				free(c);
			}
		}
	}
}
