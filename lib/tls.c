/*
 * tls: OpenSSL's door. No file is opened in here and no configuration file
 * read: certificates come as descriptors, before and after the chroot alike.
 *
 * Memory is what an idle connection costs, so buffers are released between
 * records, and sessions are kept by the client (tickets), not by us.
 */
#include "lib/tls.h"

#include <sys/stat.h>

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "lib/die.h"
#include "lib/limits.h"

/* RFC 9325 4.2: forward secrecy and AEAD only. TLS 1.3 has nothing else. */
static const char ciphers12[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

struct tls_server {
	SSL_CTX *ctx[TLS_CERTS_MAX]; /* one a certificate; the first: default */
	size_t n;
	struct ticket_key {
		unsigned char name[16], cipher[32], mac[32];
	} ticket[TLS_TICKET_KEYS]; /* newest first; if the callback is set */
};

static_assert(sizeof(struct ticket_key) == TLS_TICKET_KEY,
    "keys come as their bytes");

struct tls_client {
	SSL_CTX *ctx;
};

struct tls_session {
	SSL_SESSION *s;
};

struct tls {
	SSL *ssl;
	struct tls_server *server; /* NULL: we are the client */
	const char *alpn;
	unsigned long error; /* of OpenSSL; 0: see broken */
	int broken;          /* errno of the socket */
	bool over;           /* EOF or failed: no more calls into OpenSSL */
};

/* Certificates */

/* A whole PEM file, read from its start; pem_close() wipes it. */
static BIO *
pem_open(int fd, char **mem, size_t *len)
{
	struct stat st;
	size_t n = 0;
	ssize_t got = 1;

	*mem = NULL;
	*len = 0;
	if (fstat(fd, &st) == -1 || st.st_size <= 0 ||
	    st.st_size > PEM_FILE_MAX)
		return NULL;
	*len = (size_t)st.st_size;
	*mem = xmalloc(*len);
	while (got > 0 && n < *len) {
		got = pread(fd, *mem + n, *len - n, (off_t)n);
		n += got > 0 ? (size_t)got : 0;
	}
	return n < *len ? NULL : BIO_new_mem_buf(*mem, (int)n);
}

static void
pem_close(BIO *bio, char *mem, size_t len)
{
	BIO_free(bio);
	if (mem != NULL)
		OPENSSL_cleanse(mem, len);
	free(mem);
}

/* For keys with a pass phrase: nobody is here to type it. */
static int
no_pass(char *buf, int size, int writing, void *arg)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

static void
set_why(char *why, size_t size, const char *what)
{
	const char *reason = ERR_reason_error_string(ERR_peek_error());

	if (reason == NULL)
		strlcpy(why, what, size);
	else
		snprintf(why, size, "%s: %s", what, reason);
	ERR_clear_error();
}

static int
chain_load(SSL_CTX *ctx, int fd)
{
	char *mem;
	size_t len;
	BIO *bio = pem_open(fd, &mem, &len);
	X509 *x = NULL;
	int rc = -1;

	if (bio == NULL)
		goto out;
	x = PEM_read_bio_X509_AUX(bio, NULL, no_pass, NULL);
	if (x == NULL || SSL_CTX_use_certificate(ctx, x) != 1)
		goto out;
	X509_free(x);
	while ((x = PEM_read_bio_X509(bio, NULL, no_pass, NULL)) != NULL)
		if (SSL_CTX_add0_chain_cert(ctx, x) != 1)
			goto out;
	ERR_clear_error(); /* the end of the file */
	rc = 0;
out:
	X509_free(x);
	pem_close(bio, mem, len);
	return rc;
}

static int
key_load(SSL_CTX *ctx, int fd)
{
	char *mem;
	size_t len;
	BIO *bio = pem_open(fd, &mem, &len);
	EVP_PKEY *key = NULL;
	int rc = -1;

	if (bio == NULL)
		goto out;
	key = PEM_read_bio_PrivateKey(bio, NULL, no_pass, NULL);
	if (key != NULL && SSL_CTX_use_PrivateKey(ctx, key) == 1)
		rc = 0;
out:
	EVP_PKEY_free(key);
	pem_close(bio, mem, len);
	return rc;
}

/* Server side of a connection */

/* SNI (RFC 6066 3): the certificate that fits the name, else the default. */
static int
choose_certificate(SSL *ssl, int *alert, void *arg)
{
	struct tls_server *s = arg;
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	X509 *x;
	size_t i;

	(void)alert;
	if (name == NULL)
		return SSL_TLSEXT_ERR_NOACK;
	for (i = 0; i < s->n; i++) {
		x = SSL_CTX_get0_certificate(s->ctx[i]);
		if (X509_check_host(x, name, 0, 0, NULL) != 1)
			continue;
		SSL_set_SSL_CTX(ssl, s->ctx[i]);
		return SSL_TLSEXT_ERR_OK;
	}
	return SSL_TLSEXT_ERR_NOACK;
}

/*
 * RFC 7301 3.2, and ALPACA: who asks for other protocols is in the wrong
 * place, and must not be answered in ours.
 */
static int
choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *outlen,
    const unsigned char *in, unsigned inlen, void *arg)
{
	const struct tls *t = SSL_get_app_data(ssl);
	struct span offer = span_of(in, inlen), name;

	(void)arg;
	while (offer.n > 0) {
		name = span_take(&offer, 1);
		name = span_take(&offer, (unsigned char)name.p[0]);
		if (!span_eq(name, span_str(t->alpn)))
			continue;
		*out = (const unsigned char *)name.p;
		*outlen = (unsigned char)name.n;
		return SSL_TLSEXT_ERR_OK;
	}
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static const struct ticket_key *
ticket_key_find(const struct tls_server *s, const unsigned char *name)
{
	for (size_t i = 0; i < nitems(s->ticket); i++)
		if (memcmp(s->ticket[i].name, name, 16) == 0)
			return &s->ticket[i];
	return NULL;
}

static int
ticket_ready(const struct ticket_key *k, unsigned char *iv,
    EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int seals)
{
	char digest[] = "SHA256";
	OSSL_PARAM hash[] = { OSSL_PARAM_construct_utf8_string(
				  OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end() };

	return EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, k->cipher,
		   iv, seals) == 1 &&
	    EVP_MAC_init(mac, k->mac, sizeof(k->mac), hash) == 1;
}

/*
 * OpenSSL's question. 1: go on; 2: and give him a new one; 0: no such key. In
 * TLS 1.3 clients use a ticket once (RFC 8446 C.4): each time a new one.
 */
static int
ticket_use(SSL *ssl, unsigned char *name, unsigned char *iv,
    EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int seals)
{
	const struct tls *t = SSL_get_app_data(ssl);
	const struct ticket_key *newest = t->server->ticket, *k = newest;

	if (seals != 0) {
		memcpy(name, k->name, sizeof(k->name));
		if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(
		        EVP_aes_256_cbc())) != 1)
			return -1;
	} else if ((k = ticket_key_find(t->server, name)) == NULL) {
		return 0;
	}
	if (!ticket_ready(k, iv, cipher, mac, seals))
		return -1;
	return k == newest && SSL_version(ssl) != TLS1_3_VERSION ? 1 : 2;
}

/* What is the same on both sides. */
static SSL_CTX *
ctx_base(const SSL_METHOD *method)
{
	SSL_CTX *ctx;

	OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	ctx = SSL_CTX_new(method);
	if (ctx == NULL)
		die("no memory for TLS");
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_options(ctx,
	    SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
		SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(ctx,
	    SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_read_ahead(ctx, 1); /* a record is one read, not two */
	return ctx;
}

static SSL_CTX *
ctx_new(struct tls_server *s)
{
	static const unsigned char id[] = "postern";
	SSL_CTX *ctx = ctx_base(TLS_server_method());

	SSL_CTX_set_options(
	    ctx, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_session_id_context(ctx, id, sizeof(id) - 1);
	SSL_CTX_set_num_tickets(ctx, 1);
	SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, NULL);
	SSL_CTX_set_tlsext_servername_callback(ctx, choose_certificate);
	SSL_CTX_set_tlsext_servername_arg(ctx, s);
	if (SSL_CTX_set_cipher_list(ctx, ciphers12) != 1)
		die("TLS cipher suites");
	return ctx;
}

/* A context with one certificate; NULL and why. */
static SSL_CTX *
ctx_load(
    struct tls_server *s, int cert_fd, int key_fd, char *why, size_t whylen)
{
	SSL_CTX *ctx = ctx_new(s);
	const ASN1_TIME *until;

	if (chain_load(ctx, cert_fd) == -1) {
		set_why(why, whylen, "cannot read the certificate");
		goto fail;
	}
	if (key_load(ctx, key_fd) == -1 ||
	    SSL_CTX_check_private_key(ctx) != 1) {
		set_why(why, whylen, "cannot use the private key");
		goto fail;
	}
	until = X509_get0_notAfter(SSL_CTX_get0_certificate(ctx));
	if (X509_cmp_current_time(until) < 0)
		strlcpy(why, "the certificate has expired", whylen);
	return ctx;
fail:
	SSL_CTX_free(ctx);
	return NULL;
}

int
tls_server_add(struct tls_server **server, int cert_fd, int key_fd, char *why,
    size_t whylen)
{
	struct tls_server *s = *server;
	SSL_CTX *ctx = NULL;

	strlcpy(why, "", whylen);
	ERR_clear_error();
	if (s == NULL)
		s = xcalloc(1, sizeof(*s));
	if (s->n == nitems(s->ctx))
		strlcpy(why, "too many certificates", whylen);
	else
		ctx = ctx_load(s, cert_fd, key_fd, why, whylen);
	if (ctx == NULL && *server == NULL)
		free(s);
	if (ctx == NULL)
		return -1;
	s->ctx[s->n++] = ctx;
	*server = s;
	return 0;
}

void
tls_server_free(struct tls_server *s)
{
	if (s == NULL)
		return;
	while (s->n > 0)
		SSL_CTX_free(s->ctx[--s->n]);
	OPENSSL_cleanse(s->ticket, sizeof(s->ticket));
	free(s);
}

void
tls_server_tickets(struct tls_server *s, const unsigned char *keys)
{
	memcpy(s->ticket, keys, sizeof(s->ticket));
	for (size_t i = 0; i < s->n; i++)
		SSL_CTX_set_tlsext_ticket_key_evp_cb(s->ctx[i], ticket_use);
}

int64_t
tls_server_left(const struct tls_server *s)
{
	X509 *x = SSL_CTX_get0_certificate(s->ctx[0]);
	int days = 0, seconds = 0;

	if (ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(x)) != 1)
		return 0;
	return (int64_t)days * 86400 + seconds;
}

bool
tls_server_names(const struct tls_server *s, const char *host)
{
	X509 *x = SSL_CTX_get0_certificate(s->ctx[0]);

	return X509_check_host(x, host, 0, 0, NULL) == 1;
}

struct tls *
tls_accept(struct tls_server *s, int fd, const char *alpn)
{
	struct tls *t = xcalloc(1, sizeof(*t));

	*t = (struct tls){ .server = s, .alpn = alpn };
	ERR_clear_error();
	t->ssl = SSL_new(s->ctx[0]);
	if (t->ssl == NULL || SSL_set_fd(t->ssl, fd) != 1)
		die("no memory for TLS");
	/* POP3's sessions are not IMAP's, though the keys are the same. */
	if (SSL_set_session_id_context(t->ssl, (const unsigned char *)alpn,
		(unsigned)strlen(alpn)) != 1)
		die("TLS session context");
	SSL_set_app_data(t->ssl, t);
	SSL_set_accept_state(t->ssl);
	return t;
}

void
tls_free(struct tls *t)
{
	if (t == NULL)
		return;
	SSL_free(t->ssl);
	free(t);
}

/* Client side */

/*
 * Where systems keep all authorities in one file: directories of single
 * files cannot be looked into from an empty root.
 */
static const char *const ca_files[] = {
	"/etc/ssl/certs/ca-certificates.crt", /* Debian, Alpine, Arch */
	"/etc/pki/tls/certs/ca-bundle.crt",   /* Fedora */
	"/etc/ssl/ca-bundle.pem",             /* openSUSE */
	"/etc/ssl/cert.pem",                  /* OpenBSD, FreeBSD, macOS */
	"/usr/local/share/certs/ca-root-nss.crt",
};

static const char *
ca_file_find(void)
{
	for (size_t i = 0; i < nitems(ca_files); i++)
		if (access(ca_files[i], R_OK) == 0)
			return ca_files[i];
	return X509_get_default_cert_file();
}

/* Whoever will do is not looked at. */
static int
verify_if_asked(X509_STORE_CTX *store, void *arg)
{
	const SSL *ssl = X509_STORE_CTX_get_ex_data(store,
	    SSL_get_ex_data_X509_STORE_CTX_idx());

	(void)arg;
	if (SSL_get_verify_mode(ssl) == SSL_VERIFY_NONE)
		return 1;
	return X509_verify_cert(store);
}

struct tls_client *
tls_client_new(const char *ca_file, char *why, size_t whylen)
{
	struct tls_client *c = xcalloc(1, sizeof(*c));
	char what[256];

	strlcpy(why, "", whylen);
	ERR_clear_error();
	c->ctx = ctx_base(TLS_client_method());
	SSL_CTX_set_cert_verify_callback(c->ctx, verify_if_asked, NULL);
	SSL_CTX_set_session_cache_mode(c->ctx, SSL_SESS_CACHE_CLIENT |
		SSL_SESS_CACHE_NO_INTERNAL);
	if (ca_file == NULL || ca_file[0] == '\0')
		ca_file = ca_file_find();
	if (SSL_CTX_load_verify_file(c->ctx, ca_file) != 1) {
		snprintf(what, sizeof(what), "cannot read the authorities in "
		    "%s", ca_file);
		set_why(why, whylen, what);
	}
	return c;
}

void
tls_client_free(struct tls_client *c)
{
	if (c == NULL)
		return;
	SSL_CTX_free(c->ctx);
	free(c);
}

static void
peer_verify(SSL *ssl, const struct tls_peer *p)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
	size_t n = 0;

	SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL);
	if (SSL_set_cipher_list(ssl, ciphers12) != 1)
		die("TLS cipher suites");
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	for (size_t i = 0; i < nitems(p->name) && p->name[i] != NULL; i++)
		/* Of addresses there is only one; without a name fewer pass. */
		if ((i == 0 && X509_VERIFY_PARAM_set1_ip_asc(
				   param, p->name[i]) == 1) ||
		    SSL_add1_host(ssl, p->name[i]) == 1)
			n++;
	ERR_clear_error(); /* a name is no address */
	if (n == 0)
		die("TLS peer name");
}

/*
 * RFC 7435: what an old server can do is better than plain text, which is
 * all that would be left.
 */
static void
peer_bear_with(SSL *ssl)
{
	SSL_set_verify(ssl, SSL_VERIFY_NONE, NULL);
	SSL_set_security_level(ssl, 1);
	SSL_set_options(ssl, SSL_OP_LEGACY_SERVER_CONNECT);
	if (SSL_set_cipher_list(
		ssl, "HIGH:!aNULL:!MD5:!3DES:!PSK:!SRP") != 1)
		die("TLS cipher suites");
}

struct tls *
tls_connect(struct tls_client *c, int fd, const struct tls_peer *p)
{
	struct tls *t = xcalloc(1, sizeof(*t));

	ERR_clear_error();
	t->ssl = SSL_new(c->ctx);
	if (t->ssl == NULL || SSL_set_fd(t->ssl, fd) != 1)
		die("no memory for TLS");
	SSL_set_app_data(t->ssl, t);
	SSL_set_connect_state(t->ssl);
	if (p->sni != NULL && SSL_set_tlsext_host_name(t->ssl, p->sni) != 1)
		die("TLS server name");
	if (p->verify)
		peer_verify(t->ssl, p);
	else
		peer_bear_with(t->ssl);
	if (p->session != NULL)
		(void)SSL_set_session(t->ssl, p->session->s);
	ERR_clear_error();
	return t;
}

struct tls_session *
tls_session_take(struct tls *t)
{
	SSL_SESSION *s = SSL_get_session(t->ssl);
	struct tls_session *session;

	if (t->error != 0 || t->broken != 0 || SSL_in_init(t->ssl) ||
	    s == NULL || SSL_SESSION_is_resumable(s) != 1)
		return NULL;
	/* A copy: OpenSSL spoils its own if the connection is just cut. */
	if ((s = SSL_SESSION_dup(s)) == NULL)
		return NULL;
	session = xcalloc(1, sizeof(*session));
	session->s = s;
	return session;
}

void
tls_session_free(struct tls_session *session)
{
	if (session == NULL)
		return;
	SSL_SESSION_free(session->s);
	free(session);
}

bool
tls_resumed(const struct tls *t)
{
	return SSL_session_reused(t->ssl) == 1;
}

/* Input and output */

static enum tls_want
outcome(struct tls *t, int rc)
{
	int saved = errno;

	switch (SSL_get_error(t->ssl, rc)) {
	case SSL_ERROR_WANT_READ:
		return TLS_WANT_READ;
	case SSL_ERROR_WANT_WRITE:
		return TLS_WANT_WRITE;
	case SSL_ERROR_ZERO_RETURN:
		t->over = true;
		return TLS_EOF;
	}
	t->over = true;
	t->error = ERR_get_error();
	t->broken = t->error == 0 && saved == 0 ? ECONNRESET : saved;
	ERR_clear_error();
	return TLS_FAIL;
}

enum tls_want
tls_handshake(struct tls *t)
{
	int rc;

	if (t->over)
		return TLS_FAIL;
	ERR_clear_error();
	errno = 0;
	rc = SSL_do_handshake(t->ssl);
	if (rc != 1)
		return outcome(t, rc);
	(void)SSL_free_buffers(
	    t->ssl); /* those of the handshake; not if full */
	return TLS_OK;
}

enum tls_want
tls_read(struct tls *t, void *p, size_t cap, size_t *n)
{
	int rc;

	if (t->over)
		return t->error != 0 || t->broken != 0 ? TLS_FAIL : TLS_EOF;
	ERR_clear_error();
	errno = 0;
	rc = SSL_read_ex(t->ssl, p, cap, n);
	return rc == 1 ? TLS_OK : outcome(t, rc);
}

enum tls_want
tls_write(struct tls *t, const void *p, size_t len, size_t *n)
{
	int rc;

	/* After the client's close_notify we may still write. */
	if (t->error != 0 || t->broken != 0)
		return TLS_FAIL;
	ERR_clear_error();
	errno = 0;
	rc = SSL_write_ex(t->ssl, p, len, n);
	return rc == 1 ? TLS_OK : outcome(t, rc);
}

bool
tls_pending(const struct tls *t)
{
	return t->over || SSL_has_pending(t->ssl) == 1;
}

void
tls_shutdown(struct tls *t)
{
	if (t->error != 0 || t->broken != 0 || SSL_in_init(t->ssl))
		return;
	ERR_clear_error();
	(void)SSL_shutdown(t->ssl);
	ERR_clear_error();
}

/* For people */

const char *
tls_version(const struct tls *t)
{
	return SSL_get_version(t->ssl);
}

const char *
tls_cipher(const struct tls *t)
{
	return SSL_get_cipher_name(t->ssl);
}

const char *
tls_sni(const struct tls *t)
{
	const char *name =
	    SSL_get_servername(t->ssl, TLSEXT_NAMETYPE_host_name);

	return name == NULL ? "" : name;
}

const char *
tls_error(const struct tls *t)
{
	const char *reason = ERR_reason_error_string(t->error);
	long verdict = SSL_get_verify_result(t->ssl);

	if (t->server == NULL && verdict != X509_V_OK)
		return X509_verify_cert_error_string(verdict);
	if (reason != NULL)
		return reason;
	return t->broken != 0 ? strerror(t->broken) : "connection closed";
}
