#pragma once

#include "log.h"

#include <stdbool.h>
#include <stddef.h>

/* The configuration: defaults, overlaid by a JSON file, overlaid by the command line. */

struct config_tls_name {
	char *host; /* may begin with "*." */
	char *certificate;
	char *key;
};

/* How one listening address speaks TLS. */
struct config_tls {
	char *certificate; /* files in PEM; the certificate's has the whole chain */
	char *key;
	struct config_tls_name
		*names; /* other certificates, by the name that the client asks for */
	size_t n_names;
	unsigned hsts_seconds; /* Strict-Transport-Security; 0: without */
	bool development;      /* a self-signed certificate instead of files */
};

struct config_listen {
	char *address;		/* an IPv4 or IPv6 address, or "unix:/path" */
	unsigned port;		/* 0: any free port; unused for a unix socket */
	bool redirect;		/* answer everything with the way to https */
	struct config_tls *tls; /* NULL: plain */
	char **trusted_proxies; /* as metrics' allow: what they say of whom they speak for counts */
	size_t n_trusted_proxies;
	bool proxy_protocol; /* each connection begins with a header of it: see proxy-protocol.h */
	unsigned mode;	     /* of a unix socket; 0: as the umask has it */
	char *group;	     /* of a unix socket, a name or a number; NULL: the daemon's */
};

struct config_header {
	char *name;  /* in lower case, of a request */
	char *value; /* NULL: any value will do */
};

/* What a handshake at one endpoint must bring along. */
struct config_admission {
	char *path;
	char **require_query;
	size_t n_require_query;
	char **origins; /* empty: any */
	size_t n_origins;
	struct config_header *require_headers;
	size_t n_require_headers;
};

enum config_auth_algorithm {
	CONFIG_AUTH_HS256,
	CONFIG_AUTH_ES256,
	CONFIG_AUTH_RS256,
};

/* What tokens are signed with. */
struct config_auth_key {
	char *id; /* the kid of its tokens; NULL: it goes with any */
	enum config_auth_algorithm algorithm;
	char *secret;	  /* of HS256 */
	char *public_key; /* a file in PEM, of the others */
};

/* Who sends it as a bearer token may publish over HTTP, or what else its rights say. */
struct config_publish_key {
	char *name;
	char *secret;
	unsigned rights; /* of identity.h's enum right */
};

/* Where people's names come from. */
struct config_auth {
	struct config_auth_key *keys; /* none: names are taken as they are given */
	size_t n_keys;
	char *issuer;	  /* NULL: any */
	char *audience;	  /* NULL: tokens for nobody in particular */
	char *name_claim; /* the claim that has the name */
	char *cookie;	  /* that brings a token along; NULL: none */
	unsigned leeway_seconds;
	struct config_publish_key *publish_keys;
	size_t n_publish_keys;
};

/*
 * How often things may happen: one row of the config's limits.rates for each
 * kind. What is charged to whom, and what goes beyond, is in limiter.h.
 */
enum limit {
	LIMIT_API,	  /* REST calls of an address */
	LIMIT_CONTROL,	  /* pings and pongs of a connection */
	LIMIT_FRAMES,	  /* frames of messages of a connection */
	LIMIT_HANDSHAKES, /* WebSocket handshakes of an address */
	LIMIT_MODERATION, /* what a moderator does */
	LIMIT_PAGES,	  /* pages of history of an address */
	LIMIT_SPEECH,	  /* messages of an address, where nobody has to say who they are */
	LIMIT_TICKETS,	  /* of a person */
	LIMIT_TLS,	  /* TLS handshakes of an address */
	LIMIT_RATES,
	/* These have keys of their own in the config. */
	LIMIT_JOINS = LIMIT_RATES, /* limits.joins_per_minute, of an address */
	LIMIT_MESSAGES, /* chat.messages_per_second and chat.burst, of a connection and a person */
	LIMITS,
};

struct config_rate {
	unsigned per_second; /* 0: any number */
	unsigned burst;	     /* so many at once */
};

/* Who may read the metrics: whoever comes from one of these networks, or knows the secret. */
struct config_metrics {
	char **allow; /* addresses, and networks such as 10.0.0.0/8 */
	size_t n_allow;
	char *secret; /* a bearer token; NULL: none */
};

/* What is said of the files that match, in place of what the server says by itself. */
struct config_file_headers {
	char *match; /* as fnmatch(3) has it; without a slash for the name alone */
	struct config_header *headers;
	size_t n_headers;
};

struct config_file_type {
	char *ending; /* ".glb" */
	char *type;
};

/* How a site's files are served. */
struct config_files {
	struct config_file_headers *headers; /* of all that match, the later one wins */
	size_t n_headers;
	struct config_file_type *types;
	size_t n_types;
	char *fallback;	 /* a path: what is sent for pages that don't exist; NULL: nothing */
	char *not_found; /* a path: the page that says so; NULL: none */
};

struct config {
	struct config_listen *listen;
	size_t n_listen;
	char *www;
	struct config_files files;
	unsigned threads; /* 0: as many as there are cores */
	bool pin_threads; /* each stays on a core of its own */
	struct {
		unsigned max_payload; /* bytes of a whole message */
		unsigned max_connections;
		unsigned header_bytes;
		unsigned handshake_seconds;
		unsigned idle_seconds;
		unsigned ping_seconds; /* of silence, then a WebSocket is pinged */
		unsigned backlog;      /* connections that wait to be accepted, of each address */
		unsigned joins_per_minute; /* to rooms, of each address; 0: any number */
		struct config_rate rates[LIMIT_RATES];
		unsigned pending_bytes; /* that all clients may have asked for and not taken */
	} limits;
	struct config_admission *admission;
	size_t n_admission;
	struct config_metrics metrics;
	struct config_auth *auth; /* NULL: everything is open to everybody */
	struct {
		unsigned history;	      /* messages kept of each room */
		unsigned history_seconds;     /* and for so long; 0: for ever */
		unsigned ring_bytes;	      /* of each room's wire log */
		unsigned messages_per_second; /* of each connection and person; 0: any number */
		unsigned burst;		      /* and so many at once */
		unsigned
			presence_merge; /* above so many people, joining and leaving is told once a second */
		unsigned max_rooms;	 /* at a time */
		unsigned max_kept_rooms; /* by SQLite */
		unsigned max_characters; /* of a message */
		char *journal;
		unsigned journal_bytes; /* that the memory journal keeps of all rooms */
	} chat;
	struct {
		enum log_level level;
		enum log_format format;
	} log;
};

/* One line for the person who wrote the file: where, what was found, what was expected. */
struct config_error {
	char text[512];
};

/* Fills config with the defaults. Returns 0 or -ENOMEM. */
int config_init(struct config *config);
void config_finish(struct config *config);

/*
 * Overlays config with the JSON in text; name is what errors call it. Returns
 * 0, -EINVAL with *error filled in, or -ENOMEM. After an error config is good
 * for nothing but config_finish().
 */
int config_parse(struct config *config, const char *name, const char *text, size_t size,
		 struct config_error *error);

/* As config_parse(), for a file, which may also be unreadable: -errno with *error filled in. */
int config_load(struct config *config, const char *path, struct config_error *error);

/* Listens at this one address instead of those before. Returns 0 or -EINVAL with *error filled in. */
int config_set_listen(struct config *config, const char *address, unsigned port,
		      struct config_error *error);

/* Speaks TLS with these files at every address. Returns 0 or -ENOMEM. */
int config_set_tls(struct config *config, const char *certificate, const char *key);

/* Speaks TLS with a self-signed certificate at every address that doesn't speak it yet. As above. */
int config_set_development_tls(struct config *config);

/* The endpoint's rules, or NULL where it has none. */
const struct config_admission *config_admission_for(const struct config *config, const char *path);
