/*
 * tls_peer: the other end of a TLS connection, and certificates, for tests.
 * The one test file that knows OpenSSL. Client and server share the thread:
 * both are non-blocking, and the test turns the loop in between.
 */
#ifndef T_UNIT_TLS_PEER_H
#define T_UNIT_TLS_PEER_H

#include <sys/mman.h>

#include <stdio.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "lib/die.h"

static SSL_CTX *peer_ctx;

static inline FILE *
pem_file(int *fd)
{
	*fd = memfd_create("pem", MFD_CLOEXEC);
	return fdopen(dup(*fd), "w");
}

static inline void
pem_done(FILE *f)
{
	if (f == NULL || fclose(f) != 0)
		die("pem");
}

/* A self-signed pair for name, valid until now + days. */
static inline void
peer_certificate(const char *name, int days, int *cert_fd, int *key_fd)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	X509_NAME *who = X509_get_subject_name(x);
	FILE *f;

	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -10L * 86400);
	X509_gmtime_adj(X509_getm_notAfter(x), (long)days * 86400);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(
	    who, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(x, who);
	if (X509_sign(x, key, EVP_sha256()) == 0)
		die("certificate");
	f = pem_file(cert_fd);
	PEM_write_X509(f, x);
	pem_done(f);
	f = pem_file(key_fd);
	PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
	pem_done(f);
	X509_free(x);
	EVP_PKEY_free(key);
}

/* version: TLS1_2_VERSION and so on; 0: any. sni, alpn: NULL: none. */
static inline SSL *
peer_new(int fd, int version, const char *sni, const char *alpn)
{
	unsigned char offer[64];
	SSL *ssl;
	int n;

	if (peer_ctx == NULL)
		peer_ctx = SSL_CTX_new(TLS_client_method());
	ssl = SSL_new(peer_ctx);
	SSL_set_fd(ssl, fd);
	SSL_set_connect_state(ssl);
	SSL_set_security_level(ssl, 0);
	if (version != 0) {
		SSL_set_min_proto_version(ssl, version);
		SSL_set_max_proto_version(ssl, version);
	}
	if (sni != NULL)
		SSL_set_tlsext_host_name(ssl, sni);
	if (alpn != NULL) {
		n = snprintf((char *)offer + 1, sizeof(offer) - 1, "%s", alpn);
		offer[0] = (unsigned char)n;
		SSL_set_alpn_protos(ssl, offer, (unsigned)n + 1);
	}
	return ssl;
}

static inline void
peer_fini(void)
{
	SSL_CTX_free(peer_ctx);
	peer_ctx = NULL;
}

#endif
