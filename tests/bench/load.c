/*
 * A load client for WebSocket servers: one thread, epoll, nothing but libc (and
 * zlib to inflate), so that it can keep up with any server on a core of its own.
 *
 * Every message that it sends carries a mark, and every one that it receives is
 * checked: one that is lost, doubled, out of its sender's order or not the same
 * for all ends the run with an error. Figures of a run that lost something are
 * no figures.
 */
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "modes.h"

static const struct {
	const char *name;
	void (*run)(struct load *load);
} modes[] = {
	{"connect", mode_connect}, {"echo", mode_echo},	    {"fanout", mode_fanout},
	{"idle", mode_idle},	   {"single", mode_single}, {"steady", mode_steady},
};

static void __attribute__((noreturn)) usage(void)
{
	fputs("usage: load fanout|single|steady|echo|connect|idle [OPTION...]\n"
	      "  --host ADDR --port N --path PATH   where the server is\n"
	      "  --server-pid PID[,PID...]          its processes, to report their CPU time\n"
	      "  --members N       connections in all; of connect, how many one after another\n"
	      "  --at-once N       handshakes at a time\n"
	      "  --publishers N    members that send\n"
	      "  --in-flight N     messages of each of them on their way (fanout)\n"
	      "  --messages N      of each of them\n"
	      "  --seconds S       instead, or whichever is over first\n"
	      "  --rate N          messages a second (steady)\n"
	      "  --size BYTES      of a message\n"
	      "  --echo-beside N   echo on so many connections more (idle)\n"
	      "  --asleep MS       sleep after each message, and go by when the kernel had the\n"
	      "                    bytes, so that the client takes no time of the server's (single)\n"
	      "  --deflate         ask for permessage-deflate\n"
	      "  --parse           take each member's bytes apart, instead of comparing them\n"
	      "  --clean           close with close frames\n",
	      stderr);
	exit(2);
}

static double parse_number(const char *text, double max)
{
	char *end;
	double number = strtod(text, &end);

	if (end == text || *end || !(number >= 0 && number <= max))
		usage();
	return number;
}

static void parse_options(struct options *o, int argc, char **argv)
{
	static const struct option names[] = {
		{"asleep", required_argument, NULL, 'z'},
		{"at-once", required_argument, NULL, 'a'},
		{"clean", no_argument, NULL, 'C'},
		{"deflate", no_argument, NULL, 'D'},
		{"echo-beside", required_argument, NULL, 'e'},
		{"host", required_argument, NULL, 'h'},
		{"in-flight", required_argument, NULL, 'f'},
		{"members", required_argument, NULL, 'm'},
		{"messages", required_argument, NULL, 'n'},
		{"parse", no_argument, NULL, 'R'},
		{"path", required_argument, NULL, 'P'},
		{"port", required_argument, NULL, 'p'},
		{"publishers", required_argument, NULL, 'b'},
		{"rate", required_argument, NULL, 'r'},
		{"seconds", required_argument, NULL, 't'},
		{"server-pid", required_argument, NULL, 'I'},
		{"size", required_argument, NULL, 's'},
		{NULL, 0, NULL, 0},
	};
	int *numbers[] = {
		['a'] = &o->at_once,   ['b'] = &o->publishers, ['e'] = &o->echo_beside,
		['f'] = &o->in_flight, ['m'] = &o->members,    ['n'] = &o->messages,
		['p'] = &o->port,      ['r'] = &o->rate,       ['s'] = &o->size,
		['z'] = &o->asleep,
	};
	const char **texts[] = {['h'] = &o->host, ['I'] = &o->server_pid, ['P'] = &o->path};
	bool *flags[] = {['C'] = &o->clean, ['D'] = &o->deflate, ['R'] = &o->parse};
	int c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (c == '?')
			usage();
		else if (c == 't')
			o->seconds = parse_number(optarg, 1e6);
		else if (c == 'C' || c == 'D' || c == 'R')
			*flags[c] = true;
		else if (c == 'h' || c == 'I' || c == 'P')
			*texts[c] = optarg;
		else
			*numbers[c] = (int)parse_number(optarg, INT_MAX);
	}
}

int main(int argc, char **argv)
{
	static struct load load;
	struct options options = {
		.host = "127.0.0.1",
		.path = "/chat",
		.port = 3000,
		.members = 1000,
		.at_once = 32,
		.publishers = 10,
		.in_flight = 10,
		.size = 64,
		.rate = 50,
	};
	struct rlimit limit;

	if (argc < 2)
		usage();
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	parse_options(&options, argc - 1, argv + 1);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (!strcmp(argv[1], modes[i].name)) {
			client_init(&load, &options);
			modes[i].run(&load);
			return 0;
		}
	usage();
}
