/*
 * account: the value of a users or credentials row:
 *
 *	u8   version, 1
 *	u64  uid, u64 gid
 *	span address, user, root, mailbox, hash (u32 length, bytes)
 *
 * Nothing follows. Maps are our own files, yet not believed: what a worker
 * or a session gets as its root comes from here.
 */
#include "lib/account.h"

#include "lib/ipc.h"
#include "lib/limits.h"

enum { ACCOUNT_VERSION = 1, ACCOUNT_HASH_MAX = 512, ACCOUNT_USER_MAX = 64 };

bool
account_path_ok(struct span path)
{
	struct span part;

	if (path.n < 2 || path.n >= PATH_LEN_MAX || path.p[0] != '/' ||
	    path.p[path.n - 1] == '/')
		return false;
	for (size_t i = 0; i < path.n; i++)
		if ((unsigned char)path.p[i] < ' ' || path.p[i] == 0x7f)
			return false;
	(void)span_take(&path, 1);
	while (path.n != 0) {
		part = span_cut(&path, '/');
		if (part.n == 0 || span_eq(part, SPAN(".")) ||
		    span_eq(part, SPAN("..")))
			return false;
	}
	return true;
}

bool
account_path_below(struct span path, struct span root)
{
	return path.n > root.n + 1 && span_starts(path, root) &&
	    path.p[root.n] == '/';
}

void
account_key(struct span address, struct buf *key)
{
	buf_clear(key);
	for (size_t i = 0; i < address.n; i++) {
		char c = address.p[i];

		buf_char(key, c >= 'A' && c <= 'Z' ? (char)(c + 32) : c);
	}
}

void
account_encode(struct buf *out, const struct account *a)
{
	put_u8(out, ACCOUNT_VERSION);
	put_u64(out, a->uid);
	put_u64(out, a->gid);
	put_span(out, a->address);
	put_span(out, a->user);
	put_span(out, a->root);
	put_span(out, a->mailbox);
	put_span(out, a->hash);
}

int
account_decode(struct span in, struct account *out)
{
	struct account a;
	uint8_t version;

	if (get_u8(&in, &version) == -1 || version != ACCOUNT_VERSION ||
	    get_u64(&in, &a.uid) == -1 || get_u64(&in, &a.gid) == -1 ||
	    get_span(&in, &a.address, AUTH_NAME_MAX) == -1 ||
	    get_span(&in, &a.user, ACCOUNT_USER_MAX) == -1 ||
	    get_span(&in, &a.root, PATH_LEN_MAX) == -1 ||
	    get_span(&in, &a.mailbox, PATH_LEN_MAX) == -1 ||
	    get_span(&in, &a.hash, ACCOUNT_HASH_MAX) == -1 || in.n != 0)
		return -1;
	if (a.address.n == 0 || span_has(a.address, '\0') ||
	    span_has(a.user, '\0') || span_has(a.hash, '\0'))
		return -1;
	if (!account_path_ok(a.root) || !account_path_ok(a.mailbox) ||
	    !account_path_below(a.mailbox, a.root))
		return -1;
	*out = a;
	return 0;
}
