/* Sockets: IPv4, IPv6, unix; stream and datagram; what is refused. On i386 the C library goes through socketcall(2). */
#include "expect.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/xattr.h>

union address {
	struct sockaddr any;
	struct sockaddr_in four;
	struct sockaddr_in6 six;
	struct sockaddr_un local;
};

static int named; /* the kernel tells the protocol of a socket's file, from Linux 3.7 on; no tracer can know it before */

static void see_whether_named(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	char file[64], name[64];

	snprintf(file, sizeof file, "/proc/self/fd/%d", fd);
	named = getxattr(file, "system.sockprotoname", name, sizeof name) > 0;
	expect("socket", "domain=%d type=%d protocol=0 retval=%d", AF_UNIX, SOCK_STREAM, fd);
	if (!named)
		skip("no names of sockets' protocols, which Linux 3.7 brought");
	close(fd);
}

/* known gives an attribute, or nothing where nobody can know it. */
static const char *known(const char *attribute, int value)
{
	static char text[2][32];
	static int next;
	char *s = text[next++ % 2];

	snprintf(s, sizeof text[0], named ? " %s=%d" : "", attribute, value);
	return s;
}

static int made(int family, int type, int protocol)
{
	int fd = socket(family, type, protocol);

	if (fd >= 0)
		expect("socket", "domain=%d type=%d protocol=%d retval=%d", family, type, protocol, fd);
	return fd;
}

static socklen_t loopback(union address *a, int family, int port)
{
	memset(a, 0, sizeof *a);
	if (family == AF_INET) {
		a->four = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
		return sizeof a->four;
	}
	a->six = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = in6addr_loopback};
	return sizeof a->six;
}

static int port_of(int fd)
{
	union address a;
	socklen_t n = sizeof a;

	if (getsockname(fd, &a.any, &n))
		die("getsockname");
	return ntohs(a.any.sa_family == AF_INET ? a.four.sin_port : a.six.sin6_port);
}

static void bound(int fd, int family, int protocol)
{
	const char *ip = family == AF_INET ? "127.0.0.1" : "::1";
	union address a;
	socklen_t n = loopback(&a, family, 0);

	if (bind(fd, &a.any, n))
		die("bind");
	expect("bind", "ip=%s port=0 family=%d%s retval=0", ip, family, known("protocol", protocol));
}

static void connected(int fd, int family, int protocol, int port)
{
	union address a;
	socklen_t n = loopback(&a, family, port);
	long r = result(connect(fd, &a.any, n));

	if (r && r != -ECONNREFUSED && r != -EINPROGRESS)
		die("connect");
	expect("connect", "ip=%s port=%d family=%d%s retval=%ld", family == AF_INET ? "127.0.0.1" : "::1", port, family,
	       known("protocol", protocol), r);
}

static void accepted(int listener, int family, int peer_port, int flags)
{
	union address a;
	socklen_t n = sizeof a;
	int fd = flags ? accept4(listener, &a.any, &n, flags) : accept(listener, &a.any, &n);

	if (fd < 0)
		die("accept");
	expect("accept", "ip=%s port=%d family=%d retval=%d", family == AF_INET ? "127.0.0.1" : "::1", peer_port, family, fd);
	close(fd);
}

static void streams(int family)
{
	int yes = 1, listener = made(family, SOCK_STREAM | SOCK_CLOEXEC, 0), client, port;

	if (listener < 0) {
		skip("no address family %d here", family);
		return;
	}
	if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes))
		die("setsockopt");
	expect("setsockopt", "level=%d name=%d%s%s retval=0", SOL_SOCKET, SO_REUSEADDR, known("family", family),
	       known("protocol", 6));
	bound(listener, family, 6);
	if (listen(listener, 8))
		die("listen");
	port = port_of(listener);
	for (int flags = 0; flags <= SOCK_CLOEXEC; flags += SOCK_CLOEXEC) {
		client = made(family, SOCK_STREAM, 0);
		connected(client, family, 6, port);
		accepted(listener, family, port_of(client), flags);
		close(client);
	}
	client = made(family, SOCK_STREAM, 0);
	connected(client, family, 6, port);
	int fd = accept(listener, NULL, NULL); /* the application doesn't ask for the address */
	expect("accept", "retval=%d%s", fd, known("family", family));
	close(fd);
	close(client);
	close(listener);
	client = made(family, SOCK_STREAM, 0);
	connected(client, family, 6, port); /* refused by now */
	close(client);
}

static void datagrams(int family)
{
	int a = made(family, SOCK_DGRAM, 0), b = made(family, SOCK_DGRAM, 0);

	if (a < 0)
		return;
	bound(a, family, 17);
	connected(b, family, 17, port_of(a));
	close(a);
	close(b);
}

static void local(void)
{
	union address a = {.local = {.sun_family = AF_UNIX, .sun_path = "socket"}};
	int listener = made(AF_UNIX, SOCK_STREAM, 0), client = made(AF_UNIX, SOCK_STREAM, 0), fd;

	if (bind(listener, &a.any, sizeof a.local) || listen(listener, 1) || connect(client, &a.any, sizeof a.local))
		die("unix");
	expect("bind", "family=%d port=0 protocol=0 retval=0", AF_UNIX);
	fd = accept(listener, NULL, NULL);
	expect("accept", "retval=%d%s", fd, known("family", AF_UNIX));
	close(fd), close(client), close(listener);
}

/* The calls by their own numbers, which i386 has had beside socketcall since Linux 4.3. */
static void direct(void)
{
	union address a;
	socklen_t n = loopback(&a, AF_INET, 9);
	long fd = result(syscall(SYS_socket, AF_INET, SOCK_DGRAM, IPPROTO_UDP));

	if (fd == -ENOSYS)
		return;
	expect("socket", "domain=%d type=%d protocol=%d retval=%ld", AF_INET, SOCK_DGRAM, IPPROTO_UDP, fd);
	if (syscall(SYS_connect, fd, &a, n))
		die("connect");
	expect("connect", "ip=127.0.0.1 port=9 family=%d%s retval=0", AF_INET, known("protocol", 17));
	close(fd);
}

int main(int argc, char **argv)
{
	begin(argc, argv);
	see_whether_named();
	streams(AF_INET);
	streams(AF_INET6);
	datagrams(AF_INET);
	datagrams(AF_INET6);
	local();
	direct();
	finish(0);
}
